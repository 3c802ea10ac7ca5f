// Elementwise ops that stay as they are.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-fuse-elementwise)' | FileCheck %s

// The end of a softmax before a product of matrices, named or not, and before a sum.
// CHECK-LABEL: func.func @before_reductions
// CHECK:         arith.divf
// CHECK:         linalg.matmul
// CHECK:         arith.divf
// CHECK:         linalg.generic
// CHECK-NOT:       arith.divf
// CHECK:           arith.mulf
// CHECK:         math.exp
// CHECK:         linalg.generic
// CHECK-NOT:       math.exp
// CHECK:         return
#same = affine_map<(n, f) -> (n, f)>
#row = affine_map<(n, f) -> (n)>
#first = affine_map<(i, j, k) -> (i, k)>
#second = affine_map<(i, j, k) -> (k, j)>
#product = affine_map<(i, j, k) -> (i, j)>
func.func @before_reductions(%x: tensor<4x4xf32>, %sums: tensor<4xf32>, %v: tensor<4x4xf32>)
    -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %zeros = arith.constant dense<0.0> : tensor<4x4xf32>
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %empty = tensor.empty() : tensor<4x4xf32>
  %p = linalg.generic {indexing_maps = [#same, #row, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x, %sums : tensor<4x4xf32>, tensor<4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.divf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %named = linalg.matmul ins(%p, %v : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zeros : tensor<4x4xf32>) -> tensor<4x4xf32>
  %q = linalg.generic {indexing_maps = [#same, #row, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x, %sums : tensor<4x4xf32>, tensor<4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.divf %b, %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %generic = linalg.generic {indexing_maps = [#first, #second, #product], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%q, %v : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zeros : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %0, %acc : f32
    linalg.yield %1 : f32
  } -> tensor<4x4xf32>
  %e = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %sum = linalg.generic {indexing_maps = [#same, #row], iterator_types = ["parallel", "reduction"]}
    ins(%e : tensor<4x4xf32>) outs(%zero : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %named, %generic, %sum : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>
}

// -----

// Values would be computed twice: for two readers, for each row, for their transposed positions too.
// CHECK-LABEL: func.func @computed_once
// CHECK-COUNT-6: linalg.generic
// CHECK-NOT:     linalg.generic
#same = affine_map<(n, f) -> (n, f)>
#swapped = affine_map<(n, f) -> (f, n)>
#filter = affine_map<(n, f) -> (f)>
#vector = affine_map<(f) -> (f)>
func.func @computed_once(%x: tensor<4x4xf32>, %b: tensor<4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %empty = tensor.empty() : tensor<4x4xf32>
  %short = tensor.empty() : tensor<4xf32>
  %e = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %negated = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%e : tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %row = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]}
    ins(%b : tensor<4xf32>) outs(%short : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %scaled = linalg.generic {indexing_maps = [#same, #filter, #same], iterator_types = ["parallel", "parallel"]}
    ins(%e, %row : tensor<4x4xf32>, tensor<4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %root = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.sqrt %a : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %symmetric = linalg.generic {indexing_maps = [#same, #swapped, #same], iterator_types = ["parallel", "parallel"]}
    ins(%root, %root : tensor<4x4xf32>, tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %0 = arith.addf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  return %negated, %scaled, %symmetric : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// They are more than scalar code of their inputs: one adds to what was there, one is what another
// adds to, and one looks up another tensor.
// CHECK-LABEL: func.func @other_code
// CHECK-COUNT-5: linalg.generic
// CHECK-NOT:     linalg.generic
#same = affine_map<(n) -> (n)>
func.func @other_code(%x: tensor<4xf32>, %start: tensor<4xf32>, %places: tensor<4xindex>) -> (tensor<4xf32>, tensor<4xf32>) {
  %empty = tensor.empty() : tensor<4xf32>
  %added = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
    ins(%x : tensor<4xf32>) outs(%start : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %e = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
    ins(%added : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %onto = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
    ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %out : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %found = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
    ins(%places : tensor<4xindex>) outs(%empty : tensor<4xf32>) {
  ^bb0(%i: index, %out: f32):
    %0 = tensor.extract %x[%i] : tensor<4xf32>
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %root = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
    ins(%found : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.sqrt %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %onto, %root : tensor<4xf32>, tensor<4xf32>
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-elementwise)' | FileCheck %s

#same = affine_map<(n, f) -> (n, f)>
#filter = affine_map<(n, f) -> (f)>
#swapped = affine_map<(n, f) -> (f, n)>

// Three steps, of which the last reads the input again: it is one input. Constants come along.
// CHECK-LABEL: func.func @silu
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3xf32>)
// CHECK:         %[[Y:.+]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x3xf32>)
// CHECK-NEXT:    ^bb0(%[[A:.+]]: f32, %{{.+}}: f32):
// CHECK:           %[[NEGATED:.+]] = arith.negf %[[A]]
// CHECK:           %[[EXP:.+]] = math.exp %[[NEGATED]]
// CHECK:           %[[SUM:.+]] = arith.addf %[[EXP]], %{{.+}} fastmath<contract>
// CHECK:           %[[QUOTIENT:.+]] = arith.divf %[[A]], %[[SUM]]
// CHECK-NEXT:      linalg.yield %[[QUOTIENT]]
// CHECK-NOT:     linalg.generic
// CHECK:         return %[[Y]]
func.func @silu(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %one = arith.constant 1.0 : f32
  %empty = tensor.empty() : tensor<2x3xf32>
  %negated = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<2x3xf32>) outs(%empty : tensor<2x3xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32>
  %sum = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%negated : tensor<2x3xf32>) outs(%empty : tensor<2x3xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    %1 = arith.addf %0, %one fastmath<contract> : f32
    linalg.yield %1 : f32
  } -> tensor<2x3xf32>
  %silu = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<2x3xf32>, tensor<2x3xf32>) outs(%empty : tensor<2x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.divf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32>
  return %silu : tensor<2x3xf32>
}

// What is read twice by one op is computed once. Inputs keep their maps, values their types, and
// the last op its transposed result and what it adds to.
// CHECK-LABEL: func.func @operands
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3xf32>, %[[BIAS:.+]]: tensor<3xf32>, %[[START:.+]]: tensor<3x2xf32>)
// CHECK:         linalg.generic {indexing_maps = [#[[SAME:.+]], #[[FILTER:.+]], #[[SWAPPED:.+]]]
// CHECK-SAME:      ins(%[[X]], %[[BIAS]] : tensor<2x3xf32>, tensor<3xf32>) outs(%[[START]] : tensor<3x2xf32>)
// CHECK-NEXT:    ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32, %[[OUT:.+]]: f32):
// CHECK-NEXT:      %[[ABOVE:.+]] = arith.cmpf ogt, %[[A]], %[[B]]
// CHECK-NEXT:      %[[I:.+]] = linalg.index 1
// CHECK-NEXT:      %[[BOTH:.+]] = arith.andi %[[ABOVE]], %[[ABOVE]]
// CHECK-NEXT:      %[[CHOSEN:.+]] = arith.select %[[BOTH]], %[[A]], %[[OUT]]
// CHECK-NEXT:      linalg.yield %[[CHOSEN]]
func.func @operands(%x: tensor<2x3xf32>, %bias: tensor<3xf32>, %start: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %flags = tensor.empty() : tensor<2x3xi1>
  %above = linalg.generic {indexing_maps = [#same, #filter, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x, %bias : tensor<2x3xf32>, tensor<3xf32>) outs(%flags : tensor<2x3xi1>) {
  ^bb0(%a: f32, %b: f32, %out: i1):
    %0 = arith.cmpf ogt, %a, %b : f32
    linalg.yield %0 : i1
  } -> tensor<2x3xi1>
  %chosen = linalg.generic {indexing_maps = [#same, #same, #same, #swapped], iterator_types = ["parallel", "parallel"]}
    ins(%above, %x, %above : tensor<2x3xi1>, tensor<2x3xf32>, tensor<2x3xi1>) outs(%start : tensor<3x2xf32>) {
  ^bb0(%flag: i1, %a: f32, %again: i1, %out: f32):
    %i = linalg.index 1 : index
    %0 = arith.andi %flag, %again : i1
    %1 = arith.select %0, %a, %out : f32
    linalg.yield %1 : f32
  } -> tensor<3x2xf32>
  return %chosen : tensor<3x2xf32>
}

#map = affine_map<(n) -> (n)>

// What two ops read that become one: half * odd + half.
// CHECK-LABEL: func.func @read_by_both
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT:     linalg.generic
// CHECK:         %[[HALF:.+]] = arith.addf
// CHECK-NEXT:    %[[ODD:.+]] = arith.mulf %[[HALF]], %[[HALF]]
// CHECK-NEXT:    arith.addf %[[ODD]], %[[HALF]]
// CHECK:         return
func.func @read_by_both(%x: tensor<5xf32>) -> tensor<5xf32> {
  %e = tensor.empty() : tensor<5xf32>
  %half = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %odd = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%half : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%odd, %half : tensor<5xf32>, tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// What two ops read that stay two is computed once.
// CHECK-LABEL: func.func @read_by_two
// CHECK-COUNT-3: linalg.generic
func.func @read_by_two(%x: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>) {
  %e = tensor.empty() : tensor<5xf32>
  %half = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%half : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  %z = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%half : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  return %y, %z : tensor<5xf32>, tensor<5xf32>
}

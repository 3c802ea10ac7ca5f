// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-sink-roundings,cse)' | FileCheck %s
// RUN: sed 's/x86-64-v3/vulkan/' %s \
// RUN:   | niwaki-opt - --pass-pipeline='builtin.module(sparse-pattern-sink-roundings)' | FileCheck %s --check-prefix=NONE

#same = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
module attributes {sparse_pattern.target = "x86-64-v3"} {
// A layer of f16 is marked, and what follows it is f32: nothing is rounded between two layers, and
// once at the end. Other operands are widened, constants at once.
// CHECK-LABEL: func.func @two_layers(
// CHECK-SAME: %[[X:.+]]: tensor<3x2xf16>)
// CHECK: %[[WIDE:.+]] = arith.extf %[[X]]
// CHECK: %[[Y:.+]] = "sparse_pattern.linear"(%[[WIDE]]
// CHECK: sparse_pattern.narrow = f16
// CHECK: %[[SHIFT:.+]] = arith.constant dense<[5.000000e-01, 1.000000e+00]> : tensor<2xf32>
// CHECK: %[[R:.+]] = linalg.generic {{.*}} ins(%[[Y]], %[[SHIFT]], %[[WIDE]] : tensor<3x2xf32>, tensor<2xf32>, tensor<3x2xf32>)
// CHECK-NEXT: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32, %[[C:.+]]: f32,
// CHECK-NEXT: %[[D:.+]] = arith.addf %[[A]], %[[B]] : f32
// CHECK-NEXT: %[[E:.+]] = arith.mulf %[[D]], %[[C]] : f32
// CHECK-NEXT: linalg.yield %[[E]] : f32
// CHECK: %[[M:.+]] = tensor.collapse_shape %[[R]] {{.*}} : tensor<3x2xf32> into tensor<6xf32>
// CHECK: %[[N:.+]] = tensor.expand_shape %[[M]] {{.*}} : tensor<6xf32> into tensor<3x2xf32>
// CHECK: %[[Z:.+]] = "sparse_pattern.linear"(%[[N]]
// CHECK: sparse_pattern.narrow = f16
// CHECK: %[[H:.+]] = arith.truncf %[[Z]] : tensor<3x2xf32> to tensor<3x2xf16>
// CHECK: return %[[H]]
// Where a target has no layers of f16, all stays as it is.
// NONE-LABEL: func.func @two_layers(
// NONE-NOT: sparse_pattern.narrow
// NONE: arith.mulf {{.*}} : f16
func.func @two_layers(%x: tensor<3x2xf16>) -> tensor<3x2xf16> {
  %w = arith.constant dense<[[0.5, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %shift = arith.constant dense<[0.5, 1.0]> : tensor<2xf16>
  %half = tensor.empty() : tensor<3x2xf16>
  %full = tensor.empty() : tensor<3x2xf32>
  %wide = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<3x2xf16>) outs(%full : tensor<3x2xf32>) {
  ^bb0(%in: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<3x2xf32>
  %y = "sparse_pattern.linear"(%wide, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %h = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<3x2xf32>) outs(%half : tensor<3x2xf16>) {
  ^bb0(%in: f32, %out: f16):
    %0 = arith.truncf %in : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<3x2xf16>
  %r = linalg.generic {indexing_maps = [#same, #row, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%h, %shift, %x : tensor<3x2xf16>, tensor<2xf16>, tensor<3x2xf16>) outs(%half : tensor<3x2xf16>) {
  ^bb0(%a: f16, %b: f16, %c: f16, %out: f16):
    %0 = arith.addf %a, %b : f16
    %1 = arith.mulf %0, %c : f16
    linalg.yield %1 : f16
  } -> tensor<3x2xf16>
  %m = tensor.collapse_shape %r [[0, 1]] : tensor<3x2xf16> into tensor<6xf16>
  %n = tensor.expand_shape %m [[0, 1]] output_shape [3, 2] : tensor<6xf16> into tensor<3x2xf16>
  %n32 = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%n : tensor<3x2xf16>) outs(%full : tensor<3x2xf32>) {
  ^bb0(%in: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<3x2xf32>
  %z = "sparse_pattern.linear"(%n32, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %z16 = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%z : tensor<3x2xf32>) outs(%half : tensor<3x2xf16>) {
  ^bb0(%in: f32, %out: f16):
    %0 = arith.truncf %in : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<3x2xf16>
  return %z16 : tensor<3x2xf16>
}

// Weights that are no numbers of f16, or an input of f32: somebody wants this layer in f32.
// CHECK-LABEL: func.func @in_f32(
// CHECK-NOT: sparse_pattern.narrow
// CHECK: return
func.func @in_f32(%x: tensor<3x2xf16>, %f: tensor<3x2xf32>) -> (tensor<3x2xf16>, tensor<3x2xf16>) {
  %w = arith.constant dense<[[0.1, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[0.5, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %wide = arith.extf %x : tensor<3x2xf16> to tensor<3x2xf32>
  %y = "sparse_pattern.linear"(%wide, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %z = "sparse_pattern.linear"(%f, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %a = arith.truncf %y : tensor<3x2xf32> to tensor<3x2xf16>
  %b = arith.truncf %z : tensor<3x2xf32> to tensor<3x2xf16>
  return %a, %b : tensor<3x2xf16>, tensor<3x2xf16>
}
}

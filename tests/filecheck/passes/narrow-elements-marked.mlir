// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements{all=false})' | FileCheck %s

module attributes {sparse_pattern.target = "arm64-android"} {
// Only the layer that the network itself has in f16. No cast is left between it and f16.
// CHECK-LABEL: func.func @marked(
// CHECK-SAME: %[[X:.+]]: tensor<3x2xf16>, %[[F:.+]]: tensor<3x2xf32>)
// CHECK: %[[Y:.+]] = "sparse_pattern.linear"(%[[X]]
// CHECK: (tensor<3x2xf16>, tensor<2x2xf16>) -> tensor<3x2xf16>
// CHECK: %[[Z:.+]] = "sparse_pattern.linear"(%[[F]]
// CHECK: (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
// CHECK: return %[[Y]], %[[Z]]
func.func @marked(%x: tensor<3x2xf16>, %f: tensor<3x2xf32>) -> (tensor<3x2xf16>, tensor<3x2xf32>) {
  %w = arith.constant dense<[[0.5, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %wide = arith.extf %x : tensor<3x2xf16> to tensor<3x2xf32>
  %y = "sparse_pattern.linear"(%wide, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense,
      sparse_pattern.narrow = f16}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %z = "sparse_pattern.linear"(%f, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %h = arith.truncf %y : tensor<3x2xf32> to tensor<3x2xf16>
  return %h, %z : tensor<3x2xf16>, tensor<3x2xf32>
}
}

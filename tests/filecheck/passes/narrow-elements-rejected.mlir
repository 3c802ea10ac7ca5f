// RUN: niwaki-opt %s --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-narrow-elements)'

module attributes {sparse_pattern.target = "arm64-android"} {
// A weight, and a number of the epilogue, that f16 cannot hold. Infinity it can.
func.func @large(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 65536.0], [1.0, 0x7F800000]]> : tensor<2x2xf32>
  // expected-remark @+1 {{stays f32: it has a number of magnitude 6.554e+04, and the largest of f16 is 65504}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %v = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %scale = arith.constant 1.0e6 : f32
  // expected-remark @+1 {{stays f32: it has a number of magnitude 1e+06}}
  %z = "sparse_pattern.linear"(%y, %v) ({
  ^bb0(%acc: f32):
    %0 = arith.mulf %acc, %scale : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %z : tensor<3x2xf32>
}
}

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-switch-elements)' 2>&1 | FileCheck %s

// CHECK: needs one function, not 2
module attributes {sparse_pattern.target = "host"} {
func.func @one(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %a : tensor<3x2xf32>
}
func.func @two(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  return %x : tensor<3x2xf32>
}
}

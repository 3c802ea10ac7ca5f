// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-switch-elements,cse)' | FileCheck %s

// Both forms of a layer, and a switch that chooses between their results. What cannot be narrow has
// no switch.
module attributes {sparse_pattern.target = "host"} {
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.+]]: tensor<3x2xf32>, %[[SWITCHES:.+]]: tensor<2xi32>) -> tensor<3x2xf32>
// CHECK: %[[X16:.+]] = arith.truncf %[[X]]
// CHECK: "sparse_pattern.linear"(%[[X16]]
// CHECK: %[[NARROW:.+]] = arith.extf
// CHECK: %[[WIDE:.+]] = "sparse_pattern.linear"(%[[X]]
// CHECK: %[[FIRST:.+]] = tensor.extract_slice %[[SWITCHES]][0] [1] [1] : tensor<2xi32> to tensor<i32>
// CHECK: %[[A:.+]] = linalg.generic
// CHECK-SAME: ins(%[[FIRST]], %[[NARROW]], %[[WIDE]] : tensor<i32>, tensor<3x2xf32>, tensor<3x2xf32>)
// CHECK-NEXT: ^bb0(%[[SWITCH:.+]]: i32, %[[H:.+]]: f32, %[[Y:.+]]: f32,
// CHECK: %[[ON:.+]] = arith.cmpi ne, %[[SWITCH]]
// CHECK: arith.select %[[ON]], %[[H]], %[[Y]] : f32
// CHECK: %[[B:.+]] = "sparse_pattern.linear"(%[[A]]
// CHECK: tensor.extract_slice %[[SWITCHES]][1]
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %large = arith.constant dense<[[1.0, 2.0], [3.0, 1.0e5]]> : tensor<2x2xf32>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %b = "sparse_pattern.linear"(%a, %large) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %c = "sparse_pattern.linear"(%b, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %c : tensor<3x2xf32>
}
}

// RUN: niwaki-opt %s --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-narrow-elements)'
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements)' 2>/dev/null | FileCheck %s

module attributes {sparse_pattern.target = "host"} {
// A layer that is marked stays f32, between others that do not.
// CHECK: arith.truncf
// CHECK: "sparse_pattern.linear"{{.*}}
// CHECK: arith.extf
// CHECK: "sparse_pattern.linear"
// CHECK: (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
// CHECK: arith.truncf
func.func @marked(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  // expected-remark @+1 {{stays f32: in f16 it alone moves an output by 2% of its largest value}}
  %b = "sparse_pattern.linear"(%a, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense,
      sparse_pattern.stays_wide = "in f16 it alone moves an output by 2% of its largest value"}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %c = "sparse_pattern.linear"(%b, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %c : tensor<3x2xf32>
}

// Sums that nothing divides in the layer may be beyond f16, whatever their average is.
func.func @sums(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32> {
  // expected-remark @+1 {{stays f32: its sums may be beyond the range of f16, whatever follows}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>, kind = "sum",
      operandSegmentSizes = array<i32: 1, 0, 0>, padding = array<i64: 0, 0, 0, 0>,
      strides = array<i64: 1, 1>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  return %y : tensor<1x2x1x1xf32>
}
}

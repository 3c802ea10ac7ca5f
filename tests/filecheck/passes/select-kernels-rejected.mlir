// What gets no kernel.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-select-kernels)' | FileCheck %s

// Convolutions are computed on planar activations alone: without layouts the tile is not known.
// CHECK-LABEL: func.func @plain
// CHECK-NOT:     kernel =
// CHECK:         return
func.func @plain(%x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// A pooling has nothing to choose.
// CHECK-LABEL: func.func @pool
// CHECK:           kernel = array<i64: 2>, kind = "max"
func.func @pool(%x: tensor<1x3x8xf32>) -> tensor<1x3x7xf32> {
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
      padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x8xf32>) -> tensor<1x3x7xf32>
  return %y : tensor<1x3x7xf32>
}

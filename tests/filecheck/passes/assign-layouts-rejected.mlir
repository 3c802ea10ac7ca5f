// What keeps plain tensors.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-assign-layouts)' | FileCheck %s

// A linear layer reads rows, not planes.
// CHECK-LABEL: func.func @linear
// CHECK-NOT:     planar
// CHECK:         return
func.func @linear(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// An op that is no layer stands between two: it works on plain tensors, conversions lead there and back.
// CHECK-LABEL: func.func @between
// CHECK:         %[[A:.+]] = "sparse_pattern.pool"
// CHECK:         %[[PLAIN:.+]] = "sparse_pattern.convert_layout"(%[[A]])
// CHECK-SAME:      -> tensor<1x3x7xf32>
// CHECK:         %[[SQUARE:.+]] = linalg.square ins(%[[PLAIN]] : tensor<1x3x7xf32>)
// CHECK:         "sparse_pattern.convert_layout"(%[[SQUARE]]) : (tensor<1x3x7xf32>)
// CHECK:         "sparse_pattern.pool"
func.func @between(%x: tensor<1x3x8xf32>) -> tensor<1x3x6xf32> {
  %a = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
      padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x8xf32>) -> tensor<1x3x7xf32>
  %empty = tensor.empty() : tensor<1x3x7xf32>
  %square = linalg.square ins(%a : tensor<1x3x7xf32>) outs(%empty : tensor<1x3x7xf32>) -> tensor<1x3x7xf32>
  %b = "sparse_pattern.pool"(%square) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
      padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x7xf32>) -> tensor<1x3x6xf32>
  return %b : tensor<1x3x6xf32>
}

// Parts of a concatenation whose sizes are left open have no layout, though the whole has a static shape.
// CHECK-LABEL: func.func @open_parts
// CHECK:         tensor.concat dim(1)
// CHECK-SAME:      (tensor<1x?x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x7x8x8xf32>
func.func @open_parts(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x1x1xf32>
  %v = arith.constant dense<0.5> : tensor<4x7x1x1xf32>
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %open = tensor.cast %x : tensor<1x3x8x8xf32> to tensor<1x?x8x8xf32>
  %c = tensor.concat dim(1) %open, %a : (tensor<1x?x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x7x8x8xf32>
  %b = "sparse_pattern.conv"(%c, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x7x8x8xf32>, tensor<4x7x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %b : tensor<1x4x8x8xf32>
}

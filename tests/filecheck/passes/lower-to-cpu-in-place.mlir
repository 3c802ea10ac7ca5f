// A residual add is stored where it was read, if nobody needs that any more.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,cse,sparse-pattern-select-kernels,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// The first layer reads the shortcut too, but the last one needs its result, so it has run.
// CHECK-LABEL: func.func @block
// CHECK:         %[[SHORTCUT:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_
// CHECK:         %[[A:.+]] = "flow.dispatch"(%[[SHORTCUT]], {{.+}}) {entry_points = [@gather_gemm_{{[0-9]+}}], operandSegmentSizes = array<i32: 0, 5, 0, 0>}
// CHECK:         "flow.dispatch"(%[[A]], {{.+}}, %[[SHORTCUT]]) {entry_points = [@gather_gemm_{{[0-9]+}}], operandSegmentSizes = array<i32: 0, 6, 0, 0>, tied_operands = [5 : index]}
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @block(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
    %w = arith.constant dense<1.0> : tensor<8x8x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    %b = "sparse_pattern.conv"(%a, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    return %b : tensor<1x8x4x4xf32>
  }
}

// -----

// The last layer reads the shortcut after the sum is stored.
// CHECK-LABEL: func.func @read_later
// CHECK-COUNT-1: tied_operands
// CHECK-NOT:     tied_operands
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @read_later(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
    %w = arith.constant dense<1.0> : tensor<8x8x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    %b = "sparse_pattern.conv"(%a, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    %c = "sparse_pattern.conv"(%b, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    %d = "sparse_pattern.conv"(%c, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    return %d : tensor<1x8x4x4xf32>
  }
}

// -----

// Nothing says which of the two layers runs first.
// CHECK-LABEL: func.func @read_beside
// CHECK-NOT:     tied_operands
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @read_beside(%x: tensor<1x8x4x4xf32>) -> (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) {
    %w = arith.constant dense<1.0> : tensor<8x8x1x1xf32>
    %v = arith.constant dense<2.0> : tensor<8x8x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    %b = "sparse_pattern.conv"(%a, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    %c = "sparse_pattern.conv"(%x, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    return %b, %c : tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>
  }
}

// -----

// The sum's own layer reads the shortcut around each pixel.
// CHECK-LABEL: func.func @read_by_itself
// CHECK-NOT:     tied_operands
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @read_by_itself(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
    %w = arith.constant dense<1.0> : tensor<8x8x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    %b = "sparse_pattern.conv"(%a, %w, %a) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x8x4x4xf32>, tensor<8x8x1x1xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
    return %b : tensor<1x8x4x4xf32>
  }
}

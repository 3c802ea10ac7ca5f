// Layers that stay dense and hints that are refused, with remarks that say why.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-detect-schemes)'
// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-detect-schemes)' | FileCheck %s

// CHECK-LABEL: func.func @no_zeros
// CHECK:         scheme = #sparse_pattern.dense
func.func @no_zeros(%x: tensor<1x4xf32>) -> tensor<1x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x4xf32>
  // expected-remark @+1 {{stays dense: no weight is zero}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// Two of every four weights, but nowhere for two filters at once: reading each filter's own columns costs more.
// CHECK-LABEL: func.func @scattered
// CHECK:         scheme = #sparse_pattern.dense
func.func @scattered(%x: tensor<1x4xf32>) -> tensor<1x8xf32> {
  %w = arith.constant dense<[
    [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0],
    [1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]> : tensor<8x4xf32>
  // expected-remark @+1 {{stays dense: 50 % of the weights are kept, which as n_m(2:4) would take 117 % of the dense time}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// A depthwise kernel has one filter a column: there is nothing to share.
// CHECK-LABEL: func.func @depthwise
// CHECK:         scheme = #sparse_pattern.dense
func.func @depthwise(%x: tensor<1x2x6xf32>) -> tensor<1x2x4xf32> {
  %w = arith.constant dense<[[[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]]]> : tensor<2x1x3xf32>
  // expected-remark @+1 {{stays dense: depthwise convolutions read all of their weights (66.7 % zeros)}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 2,
      scheme = #sparse_pattern.unstructured, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x6xf32>, tensor<2x1x3xf32>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// -----

// A hint that costs more than what the weights show is not taken, and that is no reason for an error.
// CHECK-LABEL: func.func @costly_hint
// CHECK:         scheme = #sparse_pattern.channel
func.func @costly_hint(%x: tensor<1x4xf32>) -> tensor<1x8xf32> {
  %w = arith.constant dense<[
    [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0],
    [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]> : tensor<8x4xf32>
  // expected-remark @+1 {{hint unstructured refused: storing 25 % of the weights it costs 58.3 % of dense, channel 25 %}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.unstructured, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// A layer that says it is pruned and is not.
// CHECK-LABEL: func.func @lying_hint
// CHECK:         scheme = #sparse_pattern.dense
func.func @lying_hint(%x: tensor<1x4xf32>) -> tensor<1x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x4xf32>
  // expected-remark @+1 {{stays dense: no weight is zero}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<8, 4>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// Layers that cannot be compiled: an error at the layer, since leaving it alone would only fail later.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-detect-schemes)'

// Weights of a logical layer must be there to be packed.
func.func @computed_weights(%x: tensor<1x4xf32>, %w: tensor<8x4xf32>) -> tensor<1x8xf32> {
  // expected-error @+1 {{needs constant weights: fold what computes them}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<8x4xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// The scheme's own checks name the layer.
func.func @no_filters(%x: tensor<1x4xf32>) -> tensor<1x0xf32> {
  %w = arith.constant dense<> : tensor<0x4xf32>
  // expected-error @+1 {{weights of shape 0x4x1 (filters x channels x taps) are empty: remove the layer}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<0x4xf32>) -> tensor<1x0xf32>
  return %y : tensor<1x0xf32>
}

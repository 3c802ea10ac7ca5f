// Layers that no network can mean stop the compilation, with the layer's name.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-raise-layers)'

func.func @not_numbers(%x: tensor<2x4xf32>, %start: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = arith.constant dense<[[1.0, 0x7FC00000, 1.0], [0.0, 0.0, 0x7FC00000], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]> : tensor<4x3xf32>
  // expected-error @+1 {{2 of its 12 weights are NaN: its training has diverged or its file is damaged; take an earlier checkpoint}}
  %y = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%start : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @not_numbers_in_a_recurrent_layer(%x: tensor<2x1x2xf32>, %start: tensor<1x1x2xf32>) -> tensor<2x1x2xf32> {
  %w = arith.constant dense<[[1.0, 0x7FC00000], [0.0, 2.0]]> : tensor<2x2xf32>
  // expected-error @+1 {{1 of its 4 weights are NaN: its training has diverged or its file is damaged; take an earlier checkpoint}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %start) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    "sparse_pattern.next"(%product) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1x1x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x1x2xf32>)
  return %y#0 : tensor<2x1x2xf32>
}

// -----

func.func @no_inputs(%x: tensor<2x0xf32>, %start: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %w = arith.constant dense<0.5> : tensor<0x3xf32>
  // expected-error @+1 {{it has no inputs, only [2, 0]: take the layer out}}
  %y = linalg.matmul ins(%x, %w : tensor<2x0xf32>, tensor<0x3xf32>) outs(%start : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

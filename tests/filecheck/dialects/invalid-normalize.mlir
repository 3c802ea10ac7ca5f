// What the verifier of normalisations refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @kind(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op needs kind layer or rms or softmax, got batch}}
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "batch", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @epsilon(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op needs an epsilon of at least 0, got -1}}
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "rms", epsilon = -1.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @rank(%x: tensor<2x4x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op needs rows of channels, got 2x4x8}}
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "rms", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return
}

// -----

func.func @element(%x: tensor<4x8xf16>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op needs an input of f32, got f16}}
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f16):
    "sparse_pattern.yield"(%acc) : (f16) -> ()
  }) {kind = "layer", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf16>) -> tensor<4x8xf16>
  return
}

// -----

func.func @result(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op has 4x8 as its input, but its result is 8x4}}
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "layer", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @scale(%x: tensor<4x8xf32>, %scale: tensor<4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize' op has an operand per filter of shape 4 for 8 filters}}
  %y = "sparse_pattern.normalize"(%x, %scale) ({
  ^bb0(%acc: f32, %s: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "layer", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 1, 0>}
    : (tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x8xf32>
  return
}

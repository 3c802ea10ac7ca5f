// What the verifier of products refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @element(%x: tensor<2x5x8xf16>, %y: tensor<2x8x3xf16>) {
  // expected-error @+1 {{'sparse_pattern.product' op needs tensors of f32 with sizes from 1 on, got tensor<2x5x8xf16>}}
  %z = "sparse_pattern.product"(%x, %y) ({
  ^bb0(%acc: f16):
    "sparse_pattern.yield"(%acc) : (f16) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x5x8xf16>, tensor<2x8x3xf16>) -> tensor<10x3xf16>
  return
}

// -----

func.func @rank(%x: tensor<5x8xf32>, %y: tensor<8x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.product' op needs two batches of matrices, got 5x8 and 8x3}}
  %z = "sparse_pattern.product"(%x, %y) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<5x8xf32>, tensor<8x3xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @depth(%x: tensor<2x5x8xf32>, %y: tensor<2x7x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.product' op cannot multiply 2x5x8 by 2x7x3}}
  %z = "sparse_pattern.product"(%x, %y) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x5x8xf32>, tensor<2x7x3xf32>) -> tensor<10x3xf32>
  return
}

// -----

func.func @result(%x: tensor<2x5x8xf32>, %y: tensor<2x8x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.product' op has 10x3 numbers, but its result is 5x3}}
  %z = "sparse_pattern.product"(%x, %y) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x5x8xf32>, tensor<2x8x3xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @epilogue(%x: tensor<2x5x8xf32>, %y: tensor<2x8x3xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{'sparse_pattern.product' op has an operand per filter of shape 4 for 3 filters}}
  %z = "sparse_pattern.product"(%x, %y, %b) ({
  ^bb0(%acc: f32, %bias: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x5x8xf32>, tensor<2x8x3xf32>, tensor<4xf32>) -> tensor<10x3xf32>
  return
}

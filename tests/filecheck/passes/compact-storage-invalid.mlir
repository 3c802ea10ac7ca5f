// Kernels that would compute something else from what a scheme packs. Selection gives none of these.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-compact-storage)'

// Blocks of 3 filters cannot fill a tile of 4.
func.func @high_tile(%x: tensor<5x4xf32>) -> tensor<5x6xf32> {
  %w = arith.constant dense<0.5> : tensor<6x4xf32>
  // expected-error @+1 {{has a kernel for blocks of 4 filters, but block_punched(3x1) gives blocks of 3}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<3, 1>, kernel = #sparse_pattern.matvec<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<6x4xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

// Blocks of 8 and a last one of 4, cut into 5: lower blocks of 3 and of 4, where a kernel has code for one lower height.
func.func @two_lower_heights(%x: tensor<5x4xf32>) -> tensor<5x12xf32> {
  %w = arith.constant dense<0.5> : tensor<12x4xf32>
  // expected-error @+1 {{has a kernel for blocks of 5 filters, but block_punched(8x1) gives blocks of 3 and 4 and 5}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<8, 1>, kernel = #sparse_pattern.matvec<5, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<12x4xf32>) -> tensor<5x12xf32>
  return %y : tensor<5x12xf32>
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @sparse_depthwise(%x: tensor<1x2x4xf32, #line>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<[[[1.0, 0.0, 3.0]], [[0.0, 5.0, 0.0]]]> : tensor<2x1x3xf32>
  // expected-error @+1 {{has a depthwise kernel, which reads all taps, for unstructured}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 2,
      scheme = #sparse_pattern.unstructured, kernel = #sparse_pattern.depthwise<1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x1x3xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}

// -----

// A pattern kernel knows no other scheme, ...
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @no_patterns(%x: tensor<1x2x4xf32, #line>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<0.5> : tensor<2x2x3xf32>
  // expected-error @+1 {{has a pattern kernel, which needs a pattern for each filter, for unstructured}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.unstructured, kernel = #sparse_pattern.pattern_gemm<2, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x2x3xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}

// -----

// ... and none whose filters share their patterns.
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @shared_patterns(%x: tensor<1x2x4xf32, #line>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<0.5> : tensor<2x2x3xf32>
  // expected-error @+1 {{has a pattern kernel, which needs a pattern for each filter, for pattern(3x1x2)}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.pattern<3, 1, 2>, kernel = #sparse_pattern.pattern_gemm<2, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x2x3xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}

// -----

// 600 channels of 2048 x 2048 pixels.
#huge = #sparse_pattern.planar<array<i64: 2048, 2048>, array<i64: 2048, 1>, array<i64: 1, 1>, array<i64: 0>, 0, 4194304, 16>
func.func @huge(%x: tensor<1x600x2048x2048xf32, #huge>) -> tensor<1x1x2048x2048xf32, #huge> {
  %w = arith.constant dense<0.5> : tensor<1x600x1x1xf32>
  // expected-error @+1 {{reads 2512388096 elements away, beyond 32-bit offsets: use smaller inputs}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.gather_gemm<1, 1, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x600x2048x2048xf32, #huge>, tensor<1x600x1x1xf32>) -> tensor<1x1x2048x2048xf32, #huge>
  return %y : tensor<1x1x2048x2048xf32, #huge>
}

// -----

func.func @computed_weights(%x: tensor<5x4xf32>, %w: tensor<2x4xf32>) -> tensor<5x2xf32> {
  // expected-error @+1 {{needs constant weights: fold what computes them}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<2, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

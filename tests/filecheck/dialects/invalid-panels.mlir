// A linear layer's rows may be in panels on one side, which are as many as its rows fill.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#panels = #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>
func.func @f(%x: tensor<2x3x16xf32, #panels>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs input and result of rank 2, or one of them in panels, got 3 and 3}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3x16xf32, #panels>, tensor<4x3xf32>) -> tensor<2x4x16xf32, #panels>
  return
}

// -----

#panels = #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>
func.func @f(%x: tensor<2x3x16xf32, #panels>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has panels, which only kernels of row_gemm take}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3x16xf32, #panels>, tensor<4x3xf32>) -> tensor<20x4xf32>
  return
}

// -----

#panels = #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>
func.func @f(%x: tensor<2x3x16xf32, #panels>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has panels of type tensor<2x3x16xf32, #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>> for 40 rows}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3x16xf32, #panels>, tensor<4x3xf32>) -> tensor<40x4xf32>
  return
}

// -----

#panels = #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>
func.func @f(%x: tensor<16x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has panels of type tensor<2x4x16xf32, #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>> for 16 rows}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<16x3xf32>, tensor<4x3xf32>) -> tensor<2x4x16xf32, #panels>
  return
}

// -----

#panels = #sparse_pattern.planar<array<i64: 16>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 16 : i64, 0 : i64>
func.func @f(%x: tensor<2x3x16xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has panels of type tensor<2x3x16xf32> for 20 rows}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3x16xf32>, tensor<4x3xf32>) -> tensor<20x4xf32>
  return
}

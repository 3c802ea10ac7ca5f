// Layers that an earlier pass should have changed: IREE would not know them. Both lowerings ask the same.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-lower-to-cpu)'
// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-lower-to-gpu)'

func.func @no_kernel(%x: tensor<5x4xf32>) -> tensor<5x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  // expected-error @+1 {{has no kernel: run sparse-pattern-select-kernels before}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// -----

func.func @not_packed(%x: tensor<5x4xf32>) -> tensor<5x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  // expected-error @+1 {{has no packed weights: run sparse-pattern-compact-storage before}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// -----

func.func @conv_without_layout(%x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x1xf32>
  // expected-error @+1 {{has no layout: run sparse-pattern-assign-layouts before}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// -----

func.func @pool_without_layout(%x: tensor<1x3x8xf32>) -> tensor<1x3x7xf32> {
  // expected-error @+1 {{has no layout: run sparse-pattern-assign-layouts before}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
      padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x8xf32>) -> tensor<1x3x7xf32>
  return %y : tensor<1x3x7xf32>
}

// -----

// A window that reaches beyond its only position.
func.func @padded_pool_without_layout(%x: tensor<1x3x2xf32>) -> tensor<1x3x1xf32> {
  // expected-error @+1 {{has no layout: run sparse-pattern-assign-layouts before}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 4>, strides = array<i64: 1>, dilations = array<i64: 1>,
      padding = array<i64: 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x2xf32>) -> tensor<1x3x1xf32>
  return %y : tensor<1x3x1xf32>
}

// -----

func.func @nested(%x: tensor<1x3x8xf32>, %choice: i1) -> tensor<1x3x1xf32> {
  %y = scf.if %choice -> tensor<1x3x1xf32> {
    // expected-error @+1 {{is inside scf.if: kernels are called from the top of a function alone}}
    %max = "sparse_pattern.pool"(%x) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 8>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x3x8xf32>) -> tensor<1x3x1xf32>
    scf.yield %max : tensor<1x3x1xf32>
  } else {
    %zero = arith.constant dense<0.0> : tensor<1x3x1xf32>
    scf.yield %zero : tensor<1x3x1xf32>
  }
  return %y : tensor<1x3x1xf32>
}

// -----

// A packed layer is one, too.
#source = #sparse_pattern.planar<array<i64: 10>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
func.func @nested_patterns(%x: tensor<1x2x10xf32, #source>, %values: tensor<4xf32>, %filters: tensor<2xi8>,
                           %counts: tensor<1x2x1xi16>, %starts: tensor<1xi32>,
                           %choice: i1) {
  scf.if %choice {
    // expected-error @+1 {{is inside scf.if: kernels are called from the top of a function alone}}
    %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 2>, patterns = array<i64: 0, 1>, scheme = #sparse_pattern.pattern<2, 1, 1>,
        kernel = #sparse_pattern.pattern_gemm<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x10xf32, #source>, tensor<4xf32>, tensor<2xi8>, tensor<1x2x1xi16>, tensor<1xi32>)
      -> tensor<1x1x9xf32, #result>
  }
  return
}

// -----

func.func @mask_of_bits(%q: tensor<1x1x2x8xf32>, %mask: tensor<1x1x2x2xi1>) -> tensor<1x1x2x8xf32> {
  // expected-error @+1 {{has a mask of i1: run sparse-pattern-add-masks before}}
  %y = "sparse_pattern.attention"(%q, %q, %q, %mask) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>, tensor<1x1x2x8xf32>, tensor<1x1x2x2xi1>) -> tensor<1x1x2x8xf32>
  return %y : tensor<1x1x2x8xf32>
}

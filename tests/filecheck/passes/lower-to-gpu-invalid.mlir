// Layers that another target's kernels compute: IREE would not know them.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-lower-to-gpu)'

#source = #sparse_pattern.planar<array<i64: 10>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @patterns(%x: tensor<1x2x10xf32, #source>, %values: tensor<4xf32>, %filters: tensor<2xi8>,
                      %counts: tensor<1x2x1xi16>, %starts: tensor<1xi32>) {
    // expected-error @+1 {{has a kernel of sparse_pattern.pattern_gemm, which this target has not: run sparse-pattern-select-kernels for it}}
    %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 2>, patterns = array<i64: 0, 1>, scheme = #sparse_pattern.pattern<2, 1, 1>,
        kernel = #sparse_pattern.pattern_gemm<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x10xf32, #source>, tensor<4xf32>, tensor<2xi8>, tensor<1x2x1xi16>, tensor<1xi32>)
      -> tensor<1x1x9xf32, #result>
    return
  }
}

// -----

module attributes {sparse_pattern.target = "vulkan"} {
  func.func @of_cpus(%x: tensor<5x4xf32>, %values: tensor<40xf32>, %offsets: tensor<14xi32>,
                   %blocks: tensor<1x4xi32>) -> tensor<5x8xf32> {
    // expected-error @+1 {{has a kernel of sparse_pattern.matvec, which this target has not: run sparse-pattern-select-kernels for it}}
    %0 = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, kernel = #sparse_pattern.matvec<8, 2, 2>,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<5x4xf32>, tensor<40xf32>, tensor<14xi32>, tensor<1x4xi32>) -> tensor<5x8xf32>
    return %0 : tensor<5x8xf32>
  }
}

// -----

module attributes {sparse_pattern.target = "vulkan"} {
  func.func @crowded(%x: tensor<1x4xf32>, %words: tensor<24xi32>, %r: tensor<1x1xf32>, %s: tensor<1x1xf32>)
      -> tensor<1x1xf32> {
    // expected-error @+1 {{would have 5 buffers, and target 'vulkan' promises 4}}
    %y = "sparse_pattern.packed_stream_linear"(%x, %words, %r, %s) ({
    ^bb0(%acc: f32, %a: f32, %b: f32):
      %0 = arith.addf %acc, %a : f32
      %1 = arith.addf %0, %b : f32
      "sparse_pattern.yield"(%1) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 1, in_heads = 0,
        kernel = #sparse_pattern.thread_matvec<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 2>}
      : (tensor<1x4xf32>, tensor<24xi32>, tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    return %y : tensor<1x1xf32>
  }
}

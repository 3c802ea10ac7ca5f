// Kernel and tile of each layer, for targets with 16 and 32 vector registers, vectors of 4, 8 and 16, and for a GPU.
// Layers are dilated: others may be computed tile by tile, see select-kernels-winograd.mlir.

// DEFINE: %{passes} = --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,sparse-pattern-select-kernels)'
// RUN: sed 's/TARGET/x86-64-v3/' %s | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,V3
// RUN: sed 's/TARGET/x86-64-v4/' %s | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,V4
// RUN: sed 's/TARGET/arm64/' %s     | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,ARM
// RUN: sed 's/TARGET/vulkan/' %s    | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,GPU

module attributes {sparse_pattern.target = "TARGET"} {

// Accumulators fill the registers: 8 filters x 3 vectors of 32 registers, 4 x 3 of 16. Rows of 16 lie 18 apart: where
// instructions multiply by a lane, vectors of filters waste nothing.
// CHECK-LABEL: func.func @dense
// V3:    kernel = #sparse_pattern.gather_gemm<4 : i64, 3 : i64, 8 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.gather_gemm<8 : i64, 2 : i64, 2 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.lane_gemm<8 : i64, 1 : i64, 8 : i64, 4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_gemm<8 : i64, 1 : i64>
func.func @dense(%x: tensor<1x8x16x16xf32>) -> tensor<1x16x16x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x8x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, padding = array<i64: 2, 2, 2, 2>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x16x16xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x16x16xf32>
  return %y : tensor<1x16x16x16xf32>
}

// Filters of a tile share columns, so that no tile is higher than a block of the scheme, here 4.
// CHECK-LABEL: func.func @few_weights
// V3:    kernel = #sparse_pattern.gather_gemm<4 : i64, 3 : i64, 1 : i64, 1 : i64>
// V3-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
// V3-SAME: sparse_pattern.estimated_ns = {{[1-9]}}
// V4:    kernel = #sparse_pattern.gather_gemm<4 : i64, 4 : i64, 1 : i64, 1 : i64>
// V4-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
// V4-SAME: sparse_pattern.estimated_ns = {{[1-9]}}
// ARM:   kernel = #sparse_pattern.gather_gemm<4 : i64, 6 : i64, 1 : i64, 1 : i64>
// ARM-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
// ARM-SAME: sparse_pattern.estimated_ns = {{[1-9]}}
// GPU:   kernel = #sparse_pattern.thread_gemm<4 : i64, 1 : i64>
// GPU-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
func.func @few_weights(%x: tensor<1x8x64xf32>) -> tensor<1x8x64xf32> {
  %w = arith.constant dense<[
    [[0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0], [0.0]], [[0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0], [0.0]],
    [[0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0], [0.0]], [[0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0], [0.0]],
    [[0.0], [0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0]], [[0.0], [0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0]],
    [[0.0], [0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0]], [[0.0], [0.5], [0.0], [0.5], [0.0], [0.0], [0.0], [0.0]]
  ]> : tensor<8x8x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.block_punched<4, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x64xf32>, tensor<8x8x1xf32>) -> tensor<1x8x64xf32>
  return %y : tensor<1x8x64xf32>
}

// Where all columns are kept, a dense layer takes higher tiles. On a GPU there is no estimate, and nothing to compare.
// CHECK-LABEL: func.func @many_weights
// V3:    kernel = #sparse_pattern.gather_gemm<4 : i64, 3 : i64, 1 : i64, 1 : i64>
// V3-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.gather_gemm<8 : i64, 3 : i64, 1 : i64, 1 : i64>
// V4-SAME: scheme = #sparse_pattern.dense
// ARM:   kernel = #sparse_pattern.gather_gemm<4 : i64, 6 : i64, 1 : i64, 1 : i64>
// ARM-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_gemm<4 : i64, 1 : i64>
// GPU-SAME: scheme = #sparse_pattern.block_punched<4 : i64, 1 : i64>
func.func @many_weights(%x: tensor<1x8x64xf32>) -> tensor<1x8x64xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.block_punched<4, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x64xf32>, tensor<8x8x1xf32>) -> tensor<1x8x64xf32>
  return %y : tensor<1x8x64xf32>
}

// A tile lies in one group of 6 filters: what is left of them is a lower block.
// CHECK-LABEL: func.func @grouped
// V3:    kernel = #sparse_pattern.gather_gemm<6 : i64, 2 : i64, 2 : i64, 2 : i64>
// V4:    kernel = #sparse_pattern.gather_gemm<6 : i64, 4 : i64, 1 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.gather_gemm<6 : i64, 4 : i64, 4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_gemm<4 : i64, 1 : i64>
func.func @grouped(%x: tensor<1x8x16x16xf32>) -> tensor<1x12x16x16xf32> {
  %w = arith.constant dense<0.5> : tensor<12x4x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, padding = array<i64: 2, 2, 2, 2>, groups = 2,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x16x16xf32>, tensor<12x4x3x3xf32>) -> tensor<1x12x16x16xf32>
  return %y : tensor<1x12x16x16xf32>
}

// A plane of 2 x 2 at a pitch of 3 is 5 elements: no more vectors are computed than cover it.
// CHECK-LABEL: func.func @small_plane
// V3:    kernel = #sparse_pattern.gather_gemm<8 : i64, 1 : i64, 1 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.gather_gemm<16 : i64, 1 : i64, 1 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.lane_gemm<16 : i64, 2 : i64, 2 : i64, 2 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_gemm<8 : i64, 1 : i64>
func.func @small_plane(%x: tensor<1x8x2x2xf32>) -> tensor<1x16x2x2xf32> {
  %w = arith.constant dense<0.5> : tensor<16x8x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, padding = array<i64: 2, 2, 2, 2>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x2x2xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x2x2xf32>
  return %y : tensor<1x16x2x2xf32>
}

// An input beyond the second-level cache: a workgroup runs several blocks over a few tiles of pixels, so that it is read once.
// CHECK-LABEL: func.func @large_input
// V3:    kernel = #sparse_pattern.gather_gemm<4 : i64, 3 : i64, 4 : i64, 4 : i64>
// V4:    kernel = #sparse_pattern.gather_gemm<8 : i64, 3 : i64, 2 : i64, 2 : i64>
// ARM:   kernel = #sparse_pattern.gather_gemm<8 : i64, 3 : i64, 16 : i64, 2 : i64>
// GPU:   kernel = #sparse_pattern.thread_gemm<8 : i64, 4 : i64>
func.func @large_input(%x: tensor<1x64x224x224xf32>) -> tensor<1x16x224x224xf32> {
  %w = arith.constant dense<0.5> : tensor<16x64x1x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x64x224x224xf32>, tensor<16x64x1x1xf32>) -> tensor<1x16x224x224xf32>
  return %y : tensor<1x16x224x224xf32>
}

// A depthwise convolution has a kernel of its own; threads of a GPU share rows evenly.
// CHECK-LABEL: func.func @depthwise
// V3:    kernel = #sparse_pattern.depthwise<5 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.depthwise<5 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.depthwise<4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_depthwise<8 : i64>
func.func @depthwise(%x: tensor<1x8x16x16xf32>) -> tensor<1x8x16x16xf32> {
  %w = arith.constant dense<0.5> : tensor<8x1x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 8,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x16x16xf32>, tensor<8x1x3x3xf32>) -> tensor<1x8x16x16xf32>
  return %y : tensor<1x8x16x16xf32>
}

// Linear layers: the vectors run over filters, several rows share each weight. On a GPU threads share the columns
// of blocks of eight filters, if these are many.
// CHECK-LABEL: func.func @linear
// V3:    kernel = #sparse_pattern.matvec<56 : i64, 1 : i64, 1 : i64>
// V3:    kernel = #sparse_pattern.matvec<24 : i64, 4 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.matvec<64 : i64, 1 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.matvec<64 : i64, 4 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.matvec<28 : i64, 1 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.matvec<20 : i64, 4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_matvec<8 : i64, 1 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_matvec<8 : i64, 4 : i64, 1 : i64>
func.func @linear(%x: tensor<1x8xf32>, %batch: tensor<16x8xf32>) -> (tensor<1x100xf32>, tensor<16x100xf32>) {
  %w = arith.constant dense<0.5> : tensor<100x8xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8xf32>, tensor<100x8xf32>) -> tensor<1x100xf32>
  %z = "sparse_pattern.linear"(%batch, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<16x8xf32>, tensor<100x8xf32>) -> tensor<16x100xf32>
  return %y, %z : tensor<1x100xf32>, tensor<16x100xf32>
}

// Blocks of 32 of 100 filters: the height divides 32, so that the 4 filters left are the only lower block.
// CHECK-LABEL: func.func @linear_in_blocks
// V3:    kernel = #sparse_pattern.matvec<16 : i64, 4 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.matvec<32 : i64, 4 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.matvec<16 : i64, 4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_matvec<8 : i64, 4 : i64, 1 : i64>
func.func @linear_in_blocks(%x: tensor<16x8xf32>) -> tensor<16x100xf32> {
  %w = arith.constant dense<0.0> : tensor<100x8xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<32, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<16x8xf32>, tensor<100x8xf32>) -> tensor<16x100xf32>
  return %y : tensor<16x100xf32>
}

// Blocks of 4 filters feed few multiply-adds with each load, so more rows share each weight while the first cache holds
// them.
// CHECK-LABEL: func.func @linear_in_low_blocks
// V3:    kernel = #sparse_pattern.matvec<4 : i64, 8 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.matvec<4 : i64, 8 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.matvec<4 : i64, 8 : i64, 1 : i64>
// V3:    kernel = #sparse_pattern.matvec<4 : i64, 4 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.matvec<4 : i64, 4 : i64, 1 : i64>
// ARM:   kernel = #sparse_pattern.matvec<4 : i64, 4 : i64, 1 : i64>
// GPU:   kernel = #sparse_pattern.thread_matvec<4 : i64, 4 : i64, 1 : i64>
func.func @linear_in_low_blocks(%few: tensor<16x512xf32>, %many: tensor<16x4096xf32>) -> (tensor<16x4xf32>, tensor<16x4xf32>) {
  %v = arith.constant dense<0.0> : tensor<4x512xf32>
  %w = arith.constant dense<0.0> : tensor<4x4096xf32>
  %y = "sparse_pattern.linear"(%few, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<4, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<16x512xf32>, tensor<4x512xf32>) -> tensor<16x4xf32>
  %z = "sparse_pattern.linear"(%many, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.block_punched<4, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<16x4096xf32>, tensor<4x4096xf32>) -> tensor<16x4xf32>
  return %y, %z : tensor<16x4xf32>, tensor<16x4xf32>
}

}

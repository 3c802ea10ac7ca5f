// Which layers are computed tile by tile: of 3x3, and of what reads 3x3 or 4x4 pixels of each phase of its input.

// DEFINE: %{passes} = --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,sparse-pattern-select-kernels)'
// RUN: sed 's/TARGET/x86-64-v3/' %s | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,V3
// RUN: sed 's/TARGET/x86-64-v4/' %s | niwaki-opt %{passes} | FileCheck %s --check-prefixes=CHECK,V4
// RUN: sed 's/TARGET/vulkan/' %s    | niwaki-opt %{passes} | FileCheck %s --check-prefix=GPU
// RUN: sed 's/TARGET/x86-64-v4/' %s \
// RUN:   | niwaki-opt --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,sparse-pattern-select-kernels{winograd=false})' \
// RUN:   | FileCheck %s --check-prefix=DIRECT

// DIRECT-NOT: kernel = #sparse_pattern.winograd

module attributes {sparse_pattern.target = "TARGET"} {

// Tiles of 4x4 outputs, all seven rows of tiles in one block; two workgroups share the groups of 32 filters.
// CHECK-LABEL: func.func @dense
// V3:    kernel = #sparse_pattern.winograd<4 : i64, 4 : i64, 3 : i64, 32 : i64, 2 : i64, 7 : i64, 1 : i64>
// V4:    kernel = #sparse_pattern.winograd<4 : i64, 8 : i64, 3 : i64, 32 : i64, 2 : i64, 7 : i64, 1 : i64>
// GPU-LABEL: func.func @dense
// GPU:   kernel = #sparse_pattern.thread_gemm<
func.func @dense(%x: tensor<1x128x28x28xf32>) -> tensor<1x128x28x28xf32> {
  %w = arith.constant dense<0.5> : tensor<128x128x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x128x28x28xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x28x28xf32>
  return %y : tensor<1x128x28x28xf32>
}

// Four tiles of 4x4 fill a quarter of a vector, sixteen of 2x2 a whole one.
// CHECK-LABEL: func.func @small_image
// V4:    kernel = #sparse_pattern.winograd<2 : i64, 8 : i64, 3 : i64, 32 : i64, 8 : i64, 4 : i64, 1 : i64>
func.func @small_image(%x: tensor<1x512x7x7xf32>) -> tensor<1x512x7x7xf32> {
  %w = arith.constant dense<0.5> : tensor<512x512x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x512x7x7xf32>, tensor<512x512x3x3xf32>) -> tensor<1x512x7x7xf32>
  return %y : tensor<1x512x7x7xf32>
}

// Transforming few channels costs more than it saves.
// CHECK-LABEL: func.func @few_channels
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @few_channels(%x: tensor<1x3x28x28xf32>) -> tensor<1x64x28x28xf32> {
  %w = arith.constant dense<0.5> : tensor<64x3x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x28x28xf32>, tensor<64x3x3x3xf32>) -> tensor<1x64x28x28xf32>
  return %y : tensor<1x64x28x28xf32>
}

// In each of the twelve phase planes 7x7 taps are 4x4 at most, in tiles of 7x7 inputs.
// CHECK-LABEL: func.func @stem
// V4:    kernel = #sparse_pattern.winograd<4 : i64, 8 : i64, 3 : i64, 32 : i64, 2 : i64, 2 : i64, 2 : i64>
// GPU-LABEL: func.func @stem
// GPU:   kernel = #sparse_pattern.thread_gemm<
func.func @stem(%x: tensor<1x3x224x224xf32>) -> tensor<1x64x112x112xf32> {
  %w = arith.constant dense<0.5> : tensor<64x3x7x7xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 3, 3, 3, 3>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>) -> tensor<1x64x112x112xf32>
  return %y : tensor<1x64x112x112xf32>
}

// Without weights it is less work to compute what is left.
// CHECK-LABEL: func.func @pruned_stem
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @pruned_stem(%x: tensor<1x3x224x224xf32>) -> tensor<1x64x112x112xf32> {
  %w = arith.constant dense<0.0> : tensor<64x3x7x7xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 3, 3, 3, 3>, groups = 1,
      scheme = #sparse_pattern.block_punched<8, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32>) -> tensor<1x64x112x112xf32>
  return %y : tensor<1x64x112x112xf32>
}

// In the phases of its input a layer of 3x3 has 2x2 taps, for which there are no tiles.
// CHECK-LABEL: func.func @strided
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @strided(%x: tensor<1x128x56x56xf32>) -> tensor<1x128x28x28xf32> {
  %w = arith.constant dense<0.5> : tensor<128x128x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x128x56x56xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x28x28xf32>
  return %y : tensor<1x128x28x28xf32>
}

// A layer without weights is less work than tiles of full kernels.
// CHECK-LABEL: func.func @pruned
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @pruned(%x: tensor<1x128x28x28xf32>) -> tensor<1x128x28x28xf32> {
  %w = arith.constant dense<0.0> : tensor<128x128x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.block_punched<8, 64>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x128x28x28xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x28x28xf32>
  return %y : tensor<1x128x28x28xf32>
}

// Taps that are not neighbours, and images that are not two-dimensional, have no tiles.
// CHECK-LABEL: func.func @dilated
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @dilated(%x: tensor<1x128x28x28xf32>) -> tensor<1x128x28x28xf32> {
  %w = arith.constant dense<0.5> : tensor<128x128x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>, padding = array<i64: 2, 2, 2, 2>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x128x28x28xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x28x28xf32>
  return %y : tensor<1x128x28x28xf32>
}

// CHECK-LABEL: func.func @line
// CHECK: kernel = #sparse_pattern.gather_gemm<
func.func @line(%x: tensor<1x128x784xf32>) -> tensor<1x128x784xf32> {
  %w = arith.constant dense<0.5> : tensor<128x128x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x128x784xf32>, tensor<128x128x3xf32>) -> tensor<1x128x784xf32>
  return %y : tensor<1x128x784xf32>
}
}

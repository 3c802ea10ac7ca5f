// Tiles that are kept low, to measure what sharing loads gains.

// DEFINE: %{before} = sparse-pattern-assign-layouts
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(%{before},sparse-pattern-select-kernels{max-filters=1})' \
// RUN:   | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(%{before},sparse-pattern-select-kernels{max-filters=4})' \
// RUN:   | FileCheck %s --check-prefixes=CHECK,FOUR
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(%{before},sparse-pattern-select-kernels{max-vectors=1})' \
// RUN:   | FileCheck %s --check-prefixes=CHECK,NARROW

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-select-kernels{max-filters=0})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LOW
// LOW: error: pass 'sparse-pattern-select-kernels' needs max-filters and max-vectors of 1 or more

module attributes {sparse_pattern.target = "x86-64-v4"} {

// CHECK-LABEL: func.func @dense
// ONE:    kernel = #sparse_pattern.spmm<
// FOUR:   kernel = #sparse_pattern.gather_gemm<4 : i64, 6 : i64,
// NARROW: kernel = #sparse_pattern.gather_gemm<16 : i64, 1 : i64,
func.func @dense(%x: tensor<1x8x16x16xf32>) -> tensor<1x16x16x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x8x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x8x16x16xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x16x16xf32>
  return %y : tensor<1x16x16x16xf32>
}

}

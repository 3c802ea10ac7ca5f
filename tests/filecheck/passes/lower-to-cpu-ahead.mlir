// What the second-level cache does not hold is asked for before the tiles that read it are computed: into that cache, a little
// ahead of where the column is read now. A column's own lines are asked for in any case, into the first-level cache.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,cse,sparse-pattern-select-kernels,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// CHECK-LABEL: func.func private @gather_gemm_
// CHECK-SAME:    %[[IN:[^ ]+]]: memref<?xf32>
// CHECK:         memref.prefetch %[[IN]]{{.*}}, read, locality<3>
// CHECK:         %[[LATER:.+]] = arith.addi %{{.+}}, %c512
// CHECK:         memref.prefetch %[[IN]][%[[LATER]]], read, locality<2>
// CHECK-LABEL: func.func @large
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @large(%x: tensor<1x8x200x200xf32>) -> tensor<1x8x200x200xf32> {
    %w = arith.constant dense<0.5> : tensor<8x8x1x1xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x200x200xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x200x200xf32>
    return %y : tensor<1x8x200x200xf32>
  }
}

// -----

// CHECK-LABEL: func.func private @gather_gemm_
// CHECK-NOT:     locality<2>
// CHECK-LABEL: func.func @small
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @small(%x: tensor<1x8x56x56xf32>) -> tensor<1x8x56x56xf32> {
    %w = arith.constant dense<0.5> : tensor<8x8x1x1xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x8x56x56xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x56x56xf32>
    return %y : tensor<1x8x56x56xf32>
  }
}

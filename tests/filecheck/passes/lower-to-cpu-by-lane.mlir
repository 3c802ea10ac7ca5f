// Weights are loaded as vectors where instructions multiply by one lane of a register, and one by one where they take numbers
// from memory.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,cse,sparse-pattern-select-kernels,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// Six weights are four and two: nothing behind them is read.
// CHECK-LABEL: func.func private @gather_gemm_1(
// CHECK-SAME:    %{{.+}}: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %{{.+}}: memref<?xi16>
// CHECK-NOT:     memref.load %[[VALUES]]
// CHECK:         %[[FOUR:.+]] = vector.load %[[VALUES]]{{.+}}, vector<4xf32>
// CHECK:         %[[FIRST:.+]] = vector.extract %[[FOUR]][0]
// CHECK:         %[[WEIGHT:.+]] = vector.broadcast %[[FIRST]]
// CHECK:         vector.fma %[[WEIGHT]]
// CHECK:         vector.extract %[[FOUR]][3]
// CHECK:         %[[TWO:.+]] = vector.load %[[VALUES]]{{.+}}, vector<2xf32>
// CHECK:         vector.extract %[[TWO]][1]
// CHECK-NOT:     memref.load %[[VALUES]]
// CHECK:         return
module attributes {sparse_pattern.target = "arm64"} {
  func.func @by_lane(%x: tensor<1x2x8x8xf32>) -> tensor<1x6x8x8xf32> {
    %w = arith.constant dense<0.5> : tensor<6x2x1x1xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x2x8x8xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x8x8xf32>
    return %y : tensor<1x6x8x8xf32>
  }
}

// -----

// CHECK-LABEL: func.func private @gather_gemm_1(
// CHECK-SAME:    %{{.+}}: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %{{.+}}: memref<?xi16>
// CHECK-NOT:     vector.load %[[VALUES]]
// CHECK-COUNT-2: memref.load %[[VALUES]]
// CHECK-NOT:     vector.load %[[VALUES]]
// CHECK:         return
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @from_memory(%x: tensor<1x2x8x8xf32>) -> tensor<1x6x8x8xf32> {
    %w = arith.constant dense<0.5> : tensor<6x2x1x1xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x2x8x8xf32>, tensor<6x2x1x1xf32>) -> tensor<1x6x8x8xf32>
    return %y : tensor<1x6x8x8xf32>
  }
}

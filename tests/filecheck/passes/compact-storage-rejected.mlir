// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-compact-storage)' | FileCheck %s

// How weights are packed depends on the kernel: a layer without one stays as it is.
// CHECK-LABEL: func.func @no_kernel
// CHECK:         "sparse_pattern.linear"
func.func @no_kernel(%x: tensor<5x4xf32>) -> tensor<5x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// Weights that something else reads stay beside the packed ones.
// CHECK-LABEL: func.func @other_reader
// CHECK:         %[[W:.+]] = arith.constant dense<5.0{{.*}}> : tensor<2x4xf32>
// CHECK:         "sparse_pattern.packed_linear"
// CHECK:         return %{{.+}}, %[[W]]
func.func @other_reader(%x: tensor<5x4xf32>) -> (tensor<5x2xf32>, tensor<2x4xf32>) {
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y, %w : tensor<5x2xf32>, tensor<2x4xf32>
}

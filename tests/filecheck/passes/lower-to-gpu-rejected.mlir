// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-lower-to-gpu)' | FileCheck %s

module attributes {sparse_pattern.target = "vulkan"} {

// Kernels take packed weights: layers in logical form wait for compact-storage.
// CHECK-LABEL: func.func @logical
// CHECK:         "sparse_pattern.linear"
func.func @logical(%x: tensor<5x4xf32>, %w: tensor<2x4xf32>) -> tensor<5x2xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// Whatever is no layer goes to IREE as it is.
// CHECK-LABEL: func.func @others
// CHECK:         linalg.square
// CHECK-NOT:     flow.dispatch
// CHECK:         return
func.func @others(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %empty = tensor.empty() : tensor<5x4xf32>
  %y = linalg.square ins(%x : tensor<5x4xf32>) outs(%empty : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

}

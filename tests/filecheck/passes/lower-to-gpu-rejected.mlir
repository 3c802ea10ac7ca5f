// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-lower-to-gpu)' | FileCheck %s

module attributes {sparse_pattern.target = "vulkan"} {

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

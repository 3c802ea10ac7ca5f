// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-expand-normalizations)' | FileCheck %s

// GPUs have no kernel.
module attributes {sparse_pattern.target = "vulkan"} {

// CHECK-NOT:     sparse_pattern.normalize
// CHECK-COUNT-2: linalg.generic
func.func @rms(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "rms", epsilon = 1.0e-5 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

}

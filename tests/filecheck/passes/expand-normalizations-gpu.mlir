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

// Groups of planes are rows: two images of two groups, with twelve numbers each.
// CHECK-LABEL:   func.func @planes
// CHECK-SAME:      (%[[X:.+]]: tensor<2x4x2x3xf32>, %[[SCALE:.+]]: tensor<4xf32>)
// CHECK:           %[[FLAT:.+]] = tensor.collapse_shape %[[X]]
// CHECK:           %[[ROWS:.+]] = tensor.expand_shape %[[FLAT]] {{.+}} into tensor<4x12xf32>
// CHECK-COUNT-4:   linalg.generic
// CHECK:           %[[BACK:.+]] = tensor.expand_shape {{.+}} into tensor<2x4x2x3xf32>
// CHECK:           linalg.generic {{.+}} ins(%[[BACK]], %[[SCALE]] :
// CHECK-NEXT:      ^bb0(%[[A:.+]]: f32, %[[S:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT:        arith.mulf %[[A]], %[[S]]
func.func @planes(%x: tensor<2x4x2x3xf32>, %scale: tensor<4xf32>) -> tensor<2x4x2x3xf32> {
  %y = "sparse_pattern.normalize_planes"(%x, %scale) ({
  ^bb0(%acc: f32, %s: f32):
    %0 = arith.mulf %acc, %s : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {positions = array<i64>, groups = 2, epsilon = 1.0e-5 : f32, operandSegmentSizes = array<i32: 1, 1, 0>}
    : (tensor<2x4x2x3xf32>, tensor<4xf32>) -> tensor<2x4x2x3xf32>
  return %y : tensor<2x4x2x3xf32>
}

}

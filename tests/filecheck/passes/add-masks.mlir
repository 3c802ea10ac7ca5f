// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-add-masks)' | FileCheck %s

// CHECK-LABEL: func.func @bits
// CHECK-SAME:    %[[MASK:.+]]: tensor<1x1x2x3xi1>
// CHECK:         %[[ADDED:.+]] = linalg.generic {{.*}} ins(%[[MASK]] : tensor<1x1x2x3xi1>) outs(%{{.+}} : tensor<1x1x2x3xf16>)
// CHECK:           ^bb0(%[[SEEN:.+]]: i1, %{{.+}}: f16):
// CHECK-DAG:       %[[ZERO:.+]] = arith.constant 0.000000e+00 : f16
// CHECK-DAG:       %[[LOWEST:.+]] = arith.constant 0xFC00 : f16
// CHECK:           arith.select %[[SEEN]], %[[ZERO]], %[[LOWEST]]
// CHECK:         "sparse_pattern.attention"(%{{.+}}, %{{.+}}, %{{.+}}, %[[ADDED]])
module attributes {sparse_pattern.target = "arm64"} {
  func.func @bits(%mask: tensor<1x1x2x3xi1>, %q: tensor<1x1x2x8xf32>, %k: tensor<1x1x3x8xf32>) -> tensor<1x1x2x8xf32> {
    %y = "sparse_pattern.attention"(%q, %k, %k, %mask) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
        result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 1>}
      : (tensor<1x1x2x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x2x3xi1>) -> tensor<1x1x2x8xf32>
    return %y : tensor<1x1x2x8xf32>
  }
}

// -----

// Shaders take f32; numbers stay as they are.
// CHECK-LABEL: func.func @on_a_gpu
// CHECK-SAME:    %{{.+}}: tensor<1x1x1x4xi1>, %[[NUMBERS:.+]]: tensor<1x1x2x4xf32>
// CHECK:         %[[ADDED:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<1x1x1x4xf32>)
// CHECK:         "sparse_pattern.attention"(%{{.+}}, %{{.+}}, %{{.+}}, %[[ADDED]])
// CHECK:         "sparse_pattern.attention"(%{{.+}}, %{{.+}}, %{{.+}}, %[[NUMBERS]])
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @on_a_gpu(%mask: tensor<1x1x1x4xi1>, %numbers: tensor<1x1x2x4xf32>, %q: tensor<1x1x2x8xf32>, %k: tensor<1x1x4x8xf32>) -> tensor<1x1x2x8xf32> {
    %y = "sparse_pattern.attention"(%q, %k, %k, %mask) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
        result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 1>}
      : (tensor<1x1x2x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x1x4xi1>) -> tensor<1x1x2x8xf32>
    %z = "sparse_pattern.attention"(%y, %k, %k, %numbers) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
        result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 1>}
      : (tensor<1x1x2x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x2x4xf32>) -> tensor<1x1x2x8xf32>
    return %z : tensor<1x1x2x8xf32>
  }
}

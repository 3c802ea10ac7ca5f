// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-absorb-transposes)' | FileCheck %s

// All four tensors have tokens before heads: what was transposed is read and written as it lies.
// CHECK-LABEL: func.func @tokens_first
// CHECK-SAME:    %[[Q:.+]]: tensor<2x5x3x8xf32>, %[[K:.+]]: tensor<2x6x3x8xf32>, %[[V:.+]]: tensor<2x6x3x4xf32>
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[Y:.+]] = "sparse_pattern.attention"(%[[Q]], %[[K]], %[[V]])
// CHECK-SAME:      causal = true, key_axes = array<i64: 0, 2, 1>, offset = 1 : i64
// CHECK-SAME:      query_axes = array<i64: 0, 2, 1>, result_axes = array<i64: 0, 2, 1>, scale = 5.000000e-01 : f32, softcap = 2.000000e+00 : f32, value_axes = array<i64: 0, 2, 1>, zeros = true}
// CHECK-SAME:      -> tensor<2x5x3x4xf32>
// CHECK:         return %[[Y]]
func.func @tokens_first(%q: tensor<2x5x3x8xf32>, %k: tensor<2x6x3x8xf32>, %v: tensor<2x6x3x4xf32>) -> tensor<2x5x3x4xf32> {
  %e0 = tensor.empty() : tensor<2x3x5x8xf32>
  %e1 = tensor.empty() : tensor<2x3x6x8xf32>
  %e2 = tensor.empty() : tensor<2x3x6x4xf32>
  %e3 = tensor.empty() : tensor<2x5x3x4xf32>
  %0 = linalg.transpose ins(%q : tensor<2x5x3x8xf32>) outs(%e0 : tensor<2x3x5x8xf32>) permutation = [0, 2, 1, 3]
  %1 = linalg.transpose ins(%k : tensor<2x6x3x8xf32>) outs(%e1 : tensor<2x3x6x8xf32>) permutation = [0, 2, 1, 3]
  %2 = linalg.transpose ins(%v : tensor<2x6x3x4xf32>) outs(%e2 : tensor<2x3x6x4xf32>) permutation = [0, 2, 1, 3]
  %y = "sparse_pattern.attention"(%0, %1, %2) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 2.0 : f32, causal = true, offset = 1, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3x5x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x4xf32>) -> tensor<2x3x5x4xf32>
  %t = linalg.transpose ins(%y : tensor<2x3x5x4xf32>) outs(%e3 : tensor<2x5x3x4xf32>) permutation = [0, 2, 1, 3]
  return %t : tensor<2x5x3x4xf32>
}

// -----

// PyTorch's MultiheadAttention has tokens first of all, and splits batch and heads after it has transposed.
// CHECK-LABEL: func.func @split_behind
// CHECK-SAME:    %[[X:.+]]: tensor<5x6x8xf32>, %[[K:.+]]: tensor<5x2x3x8xf32>
// CHECK:         %[[Q:.+]] = tensor.expand_shape %[[X]] {{\[}}[0], [1, 2], [3]{{\]}} output_shape [5, 2, 3, 8]
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[Y:.+]] = "sparse_pattern.attention"(%[[Q]], %[[K]], %[[K]])
// CHECK-SAME:      key_axes = array<i64: 1, 2, 0>
// CHECK-SAME:      query_axes = array<i64: 1, 2, 0>, result_axes = array<i64: 1, 2, 0>
// CHECK-SAME:      value_axes = array<i64: 1, 2, 0>
// CHECK-SAME:      -> tensor<5x2x3x8xf32>
// CHECK:         return %[[Y]]
func.func @split_behind(%x: tensor<5x6x8xf32>, %k: tensor<5x2x3x8xf32>) -> tensor<5x2x3x8xf32> {
  %e0 = tensor.empty() : tensor<6x5x8xf32>
  %e1 = tensor.empty() : tensor<5x2x3x8xf32>
  %0 = linalg.transpose ins(%x : tensor<5x6x8xf32>) outs(%e0 : tensor<6x5x8xf32>) permutation = [1, 0, 2]
  %1 = tensor.expand_shape %0 [[0, 1], [2], [3]] output_shape [2, 3, 5, 8] : tensor<6x5x8xf32> into tensor<2x3x5x8xf32>
  %y = "sparse_pattern.attention"(%1, %k, %k) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 1, 2, 0>, value_axes = array<i64: 1, 2, 0>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3x5x8xf32>, tensor<5x2x3x8xf32>, tensor<5x2x3x8xf32>) -> tensor<2x3x5x8xf32>
  %t = linalg.transpose ins(%y : tensor<2x3x5x8xf32>) outs(%e1 : tensor<5x2x3x8xf32>) permutation = [2, 0, 1, 3]
  return %t : tensor<5x2x3x8xf32>
}

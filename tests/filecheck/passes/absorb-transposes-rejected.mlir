// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-absorb-transposes)' | FileCheck %s

// Keys that are stored as numbers x tokens: a head's numbers are no neighbours.
// CHECK-LABEL: func.func @numbers_first
// CHECK:         %[[K:.+]] = linalg.transpose
// CHECK:         "sparse_pattern.attention"(%{{.+}}, %[[K]], %{{.+}})
func.func @numbers_first(%q: tensor<1x1x2x8xf32>, %k: tensor<1x1x8x3xf32>, %v: tensor<1x1x3x8xf32>) -> tensor<1x1x2x8xf32> {
  %e = tensor.empty() : tensor<1x1x3x8xf32>
  %0 = linalg.transpose ins(%k : tensor<1x1x8x3xf32>) outs(%e : tensor<1x1x3x8xf32>) permutation = [0, 1, 3, 2]
  %y = "sparse_pattern.attention"(%q, %0, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x1x2x8xf32>, tensor<1x1x3x8xf32>, tensor<1x1x3x8xf32>) -> tensor<1x1x2x8xf32>
  return %y : tensor<1x1x2x8xf32>
}

// -----

// Somebody reads the result as it is: then it is written so.
// CHECK-LABEL: func.func @read_twice
// CHECK:         %[[Y:.+]] = "sparse_pattern.attention"
// CHECK:         %[[T:.+]] = linalg.transpose ins(%[[Y]]
// CHECK:         return %[[Y]], %[[T]]
func.func @read_twice(%q: tensor<1x2x3x8xf32>) -> (tensor<1x2x3x8xf32>, tensor<1x3x2x8xf32>) {
  %e = tensor.empty() : tensor<1x3x2x8xf32>
  %y = "sparse_pattern.attention"(%q, %q, %q) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>) -> tensor<1x2x3x8xf32>
  %t = linalg.transpose ins(%y : tensor<1x2x3x8xf32>) outs(%e : tensor<1x3x2x8xf32>) permutation = [0, 2, 1, 3]
  return %y, %t : tensor<1x2x3x8xf32>, tensor<1x3x2x8xf32>
}

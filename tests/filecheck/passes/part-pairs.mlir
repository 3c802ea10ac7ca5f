// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-part-pairs,canonicalize)' | FileCheck %s

// Numbers of queries and keys in pairs: both get the same order of halves. Queries have more heads.
// CHECK-LABEL: func.func @both
// CHECK-SAME:    %[[A:[^:]+]]: tensor<1x4x5x3x1xf32>, %[[B:[^:]+]]: tensor<1x4x5x3x1xf32>, %[[C:[^:]+]]: tensor<1x2x6x3xf32>, %[[D:[^:]+]]: tensor<1x2x6x3xf32>
// CHECK-DAG:     %[[A4:.+]] = tensor.collapse_shape %[[A]] {{.+}} into tensor<1x4x5x3xf32>
// CHECK-DAG:     %[[B4:.+]] = tensor.collapse_shape %[[B]] {{.+}} into tensor<1x4x5x3xf32>
// CHECK-DAG:     %[[Q:.+]] = tensor.concat dim(3) %[[A4]], %[[B4]] : {{.+}} -> tensor<1x4x5x6xf32>
// CHECK-DAG:     %[[K:.+]] = tensor.concat dim(3) %[[C]], %[[D]] : {{.+}} -> tensor<1x2x6x6xf32>
// CHECK:         "sparse_pattern.attention"(%[[Q]], %[[K]], %{{.+}})
func.func @both(%a: tensor<1x4x5x3x1xf32>, %b: tensor<1x4x5x3x1xf32>, %c: tensor<1x2x6x3xf32>, %d: tensor<1x2x6x3xf32>, %v: tensor<1x2x6x8xf32>) -> tensor<1x4x5x8xf32> {
  %0 = tensor.concat dim(4) %a, %b : (tensor<1x4x5x3x1xf32>, tensor<1x4x5x3x1xf32>) -> tensor<1x4x5x3x2xf32>
  %q = tensor.collapse_shape %0 [[0], [1], [2], [3, 4]] : tensor<1x4x5x3x2xf32> into tensor<1x4x5x6xf32>
  %c1 = tensor.expand_shape %c [[0], [1], [2], [3, 4]] output_shape [1, 2, 6, 3, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1xf32>
  %d1 = tensor.expand_shape %d [[0], [1], [2], [3, 4]] output_shape [1, 2, 6, 3, 1] : tensor<1x2x6x3xf32> into tensor<1x2x6x3x1xf32>
  %1 = tensor.concat dim(4) %c1, %d1 : (tensor<1x2x6x3x1xf32>, tensor<1x2x6x3x1xf32>) -> tensor<1x2x6x3x2xf32>
  %k = tensor.collapse_shape %1 [[0], [1], [2], [3, 4]] : tensor<1x2x6x3x2xf32> into tensor<1x2x6x6xf32>
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = false, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x4x5x6xf32>, tensor<1x2x6x6xf32>, tensor<1x2x6x8xf32>) -> tensor<1x4x5x8xf32>
  return %y : tensor<1x4x5x8xf32>
}

// -----

// Keys that the network returns, as a cache: all stay.
// CHECK-LABEL: func.func @cache
// CHECK-NOT:     tensor.concat dim(3)
func.func @cache(%a: tensor<1x2x5x3x1xf32>, %b: tensor<1x2x5x3x1xf32>, %v: tensor<1x2x5x8xf32>) -> (tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) {
  %0 = tensor.concat dim(4) %a, %b : (tensor<1x2x5x3x1xf32>, tensor<1x2x5x3x1xf32>) -> tensor<1x2x5x3x2xf32>
  %q = tensor.collapse_shape %0 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x2xf32> into tensor<1x2x5x6xf32>
  %1 = tensor.concat dim(4) %b, %a : (tensor<1x2x5x3x1xf32>, tensor<1x2x5x3x1xf32>) -> tensor<1x2x5x3x2xf32>
  %k = tensor.collapse_shape %1 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x2xf32> into tensor<1x2x5x6xf32>
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = false, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>, tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return %y, %k : tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>
}

// -----

// Keys that are values too, and queries in pairs with keys that are not: all stay.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     tensor.concat dim(3)
func.func @others(%a: tensor<1x2x5x3x1xf32>, %b: tensor<1x2x5x3x1xf32>, %x: tensor<1x2x5x6xf32>) -> (tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>) {
  %0 = tensor.concat dim(4) %a, %b : (tensor<1x2x5x3x1xf32>, tensor<1x2x5x3x1xf32>) -> tensor<1x2x5x3x2xf32>
  %q = tensor.collapse_shape %0 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x2xf32> into tensor<1x2x5x6xf32>
  %y = "sparse_pattern.attention"(%q, %q, %q) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = false, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>) -> tensor<1x2x5x6xf32>
  %1 = tensor.concat dim(4) %b, %a : (tensor<1x2x5x3x1xf32>, tensor<1x2x5x3x1xf32>) -> tensor<1x2x5x3x2xf32>
  %p = tensor.collapse_shape %1 [[0], [1], [2], [3, 4]] : tensor<1x2x5x3x2xf32> into tensor<1x2x5x6xf32>
  %z = "sparse_pattern.attention"(%p, %x, %x) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = false, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>) -> tensor<1x2x5x6xf32>
  return %y, %z : tensor<1x2x5x6xf32>, tensor<1x2x5x6xf32>
}

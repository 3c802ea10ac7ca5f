// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-cut-rows,canonicalize,cse)' | FileCheck %s

// Queries and keys side by side, as transformers have them: both are ranges of the filters.
// CHECK-LABEL: func.func @queries_and_keys
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"
// CHECK-NOT:     linalg.transpose
// CHECK-DAG:     %[[Q:.+]] = tensor.extract_slice %[[Y]][0, 0] [3, 2] [1, 1] : tensor<3x4xf32> to tensor<3x2xf32>
// CHECK-DAG:     %[[K:.+]] = tensor.extract_slice %[[Y]][0, 2] [3, 2] [1, 1] : tensor<3x4xf32> to tensor<3x2xf32>
// CHECK:         return %[[Q]], %[[K]]
func.func @queries_and_keys(%x: tensor<3x1xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x1xf32>, tensor<4x1xf32>) -> tensor<3x4xf32>
  %0 = tensor.expand_shape %y [[0], [1, 2]] output_shape [3, 2, 2] : tensor<3x4xf32> into tensor<3x2x2xf32>
  %e = tensor.empty() : tensor<2x3x2xf32>
  %1 = linalg.transpose ins(%0 : tensor<3x2x2xf32>) outs(%e : tensor<2x3x2xf32>) permutation = [1, 0, 2]
  %2 = tensor.extract_slice %1[0, 0, 0] [1, 3, 2] [1, 1, 1] : tensor<2x3x2xf32> to tensor<1x3x2xf32>
  %3 = tensor.extract_slice %1[1, 0, 0] [1, 3, 2] [1, 1, 1] : tensor<2x3x2xf32> to tensor<3x2xf32>
  %q = tensor.collapse_shape %2 [[0, 1], [2]] : tensor<1x3x2xf32> into tensor<3x2xf32>
  return %q, %3 : tensor<3x2xf32>, tensor<3x2xf32>
}

// -----

// Queries and keys of each head side by side: the layer gets another order, filters 0, 2, 1, 3.
// CHECK-LABEL: func.func @mixed
// CHECK-DAG:     %[[W:.+]] = arith.constant dense<{{.*}}1.000000e+00], [3.000000e+00], [2.000000e+00], [4.000000e+00{{.*}}> : tensor<4x1xf32>
// CHECK-DAG:     %[[B:.+]] = arith.constant dense<[5.000000e+00, 7.000000e+00, 6.000000e+00, 8.000000e+00]>
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%{{.+}}, %[[W]], %[[B]])
// CHECK-DAG:     tensor.extract_slice %[[Y]][0, 0] [3, 2] [1, 1]
// CHECK-DAG:     tensor.extract_slice %[[Y]][0, 2] [3, 2] [1, 1]
// CHECK-NOT:     tensor.extract_slice
func.func @mixed(%x: tensor<3x1xf32>) -> (tensor<3x2x1xf32>, tensor<3x2x1xf32>) {
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %b = arith.constant dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
  %y = "sparse_pattern.linear"(%x, %w, %b) ({
  ^bb0(%sum: f32, %bias: f32):
    %s = arith.addf %sum, %bias : f32
    "sparse_pattern.yield"(%s) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<3x1xf32>, tensor<4x1xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %0 = tensor.expand_shape %y [[0], [1, 2]] output_shape [3, 2, 2] : tensor<3x4xf32> into tensor<3x2x2xf32>
  %1 = tensor.extract_slice %0[0, 0, 0] [3, 2, 1] [1, 1, 1] : tensor<3x2x2xf32> to tensor<3x2x1xf32>
  %2 = tensor.extract_slice %0[0, 0, 1] [3, 2, 1] [1, 1, 1] : tensor<3x2x2xf32> to tensor<3x2x1xf32>
  return %1, %2 : tensor<3x2x1xf32>, tensor<3x2x1xf32>
}

// -----

// Every other number of each of two heads, as rotary positions take them: filters 0, 2, 4, 6 and 1, 3, 5, 7.
// CHECK-LABEL: func.func @strided
// CHECK:         arith.constant dense<{{.*}}1.000000e+00], [3.000000e+00], [5.000000e+00], [7.000000e+00], [2.000000e+00], [4.000000e+00]
// CHECK-NOT:     [1, 1, 2]
// CHECK-DAG:     tensor.extract_slice %{{.+}}[0, 0] [3, 4] [1, 1]
// CHECK-DAG:     tensor.extract_slice %{{.+}}[0, 4] [3, 4] [1, 1]
func.func @strided(%x: tensor<3x1xf32>) -> (tensor<3x2x2xf32>, tensor<3x2x2xf32>) {
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]> : tensor<8x1xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x1xf32>, tensor<8x1xf32>) -> tensor<3x8xf32>
  %0 = tensor.expand_shape %y [[0], [1, 2]] output_shape [3, 2, 4] : tensor<3x8xf32> into tensor<3x2x4xf32>
  %1 = tensor.extract_slice %0[0, 0, 0] [3, 2, 2] [1, 1, 2] : tensor<3x2x4xf32> to tensor<3x2x2xf32>
  %2 = tensor.extract_slice %0[0, 0, 1] [3, 2, 2] [1, 1, 2] : tensor<3x2x4xf32> to tensor<3x2x2xf32>
  return %1, %2 : tensor<3x2x2xf32>, tensor<3x2x2xf32>
}

// -----

// Slices of rows, slices that overlap, and other readers: nothing moves.
// CHECK-LABEL: func.func @stays
// CHECK:         tensor.extract_slice %{{.+}}[0, 0, 0] [2, 2, 2] [1, 1, 1]
// CHECK:         tensor.extract_slice %{{.+}}[2, 0, 0] [2, 2, 2] [1, 1, 1]
// CHECK:         tensor.extract_slice %{{.+}}[0, 0, 0] [4, 2, 1] [1, 1, 1]
// CHECK:         tensor.extract_slice %{{.+}}[0, 0, 0] [4, 1, 2] [1, 1, 1]
// CHECK:         tensor.extract_slice %{{.+}}[0, 0, 0] [4, 2, 1] [1, 1, 1]
func.func @stays(%x: tensor<4x1xf32>) -> (tensor<2x2x2xf32>, tensor<2x2x2xf32>, tensor<4x2x1xf32>, tensor<4x1x2xf32>, tensor<4x2x1xf32>, tensor<4x2x2xf32>) {
  %wa = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %wb = arith.constant dense<[[2.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %wc = arith.constant dense<[[3.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %a = "sparse_pattern.linear"(%x, %wa) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %a3 = tensor.expand_shape %a [[0], [1, 2]] output_shape [4, 2, 2] : tensor<4x4xf32> into tensor<4x2x2xf32>
  %0 = tensor.extract_slice %a3[0, 0, 0] [2, 2, 2] [1, 1, 1] : tensor<4x2x2xf32> to tensor<2x2x2xf32>
  %1 = tensor.extract_slice %a3[2, 0, 0] [2, 2, 2] [1, 1, 1] : tensor<4x2x2xf32> to tensor<2x2x2xf32>
  %b = "sparse_pattern.linear"(%x, %wb) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %b3 = tensor.expand_shape %b [[0], [1, 2]] output_shape [4, 2, 2] : tensor<4x4xf32> into tensor<4x2x2xf32>
  %2 = tensor.extract_slice %b3[0, 0, 0] [4, 2, 1] [1, 1, 1] : tensor<4x2x2xf32> to tensor<4x2x1xf32>
  %3 = tensor.extract_slice %b3[0, 0, 0] [4, 1, 2] [1, 1, 1] : tensor<4x2x2xf32> to tensor<4x1x2xf32>
  %c = "sparse_pattern.linear"(%x, %wc) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x4xf32>
  %c3 = tensor.expand_shape %c [[0], [1, 2]] output_shape [4, 2, 2] : tensor<4x4xf32> into tensor<4x2x2xf32>
  %4 = tensor.extract_slice %c3[0, 0, 0] [4, 2, 1] [1, 1, 1] : tensor<4x2x2xf32> to tensor<4x2x1xf32>
  return %0, %1, %2, %3, %4, %c3 : tensor<2x2x2xf32>, tensor<2x2x2xf32>, tensor<4x2x1xf32>, tensor<4x1x2xf32>, tensor<4x2x1xf32>, tensor<4x2x2xf32>
}

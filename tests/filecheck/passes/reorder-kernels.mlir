// RUN: niwaki-opt %s --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-reorder-kernels)'
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-reorder-kernels)' | FileCheck %s

// Filters 0 and 2 keep the first two inputs, 1 and 3 the others: side by side they share what they load. The bias goes
// along, and so do the inputs of the next layer.
// CHECK-LABEL: func.func @interleaved
// CHECK:         %[[W0:.+]] = arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00], [3.000000e+00, 7.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00, 2.000000e+00, 6.000000e+00], [0.000000e+00, 0.000000e+00, 4.000000e+00, 8.000000e+00]]>
// CHECK:         %[[BIAS:.+]] = arith.constant dense<[1.000000e+01, 3.000000e+01, 2.000000e+01, 4.000000e+01]>
// CHECK:         %[[W1:.+]] = arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00, 2.000000e+00, 4.000000e+00]]>
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%{{.+}}, %[[W0]], %[[BIAS]])
// CHECK:         "sparse_pattern.linear"(%[[Y]], %[[W1]])
func.func @interleaved(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 2.0, 6.0], [3.0, 7.0, 0.0, 0.0], [0.0, 0.0, 4.0, 8.0]]> : tensor<4x4xf32>
  %bias = arith.constant dense<[10.0, 20.0, 30.0, 40.0]> : tensor<4xf32>
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{filters sorted, like ones together: 61.1 % of a dense layer's time as block_punched(2x2) instead of 97.2 % as n_m(2:4)}}
  %y = "sparse_pattern.linear"(%x, %w0, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %z = "sparse_pattern.linear"(%y, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// Between producer and consumer: a depthwise convolution, a concatenation with the input and a flattening, which gives
// each channel a run of two columns. A hint about the consumer that the new order makes wrong is dropped.
// CHECK-LABEL: func.func @on_the_way
// CHECK:         arith.constant dense<{{\[\[\[}}1.000000e+00]], {{\[\[}}3.000000e+00]], {{\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]]>
// CHECK:         arith.constant dense<{{\[\[}}5.000000e+00, 6.000000e+00, 1.100000e+01, 1.200000e+01, 1.500000e+01, 1.600000e+01, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00]]>
// CHECK:         "sparse_pattern.linear"
// CHECK:         scheme = #sparse_pattern.dense
func.func @on_the_way(%x: tensor<1x1x2xf32>, %s: tensor<1x4x2xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[[1.0], [5.0], [0.0], [0.0]], [[0.0], [0.0], [2.0], [6.0]], [[3.0], [7.0], [0.0], [0.0]], [[0.0], [0.0], [4.0], [8.0]]]> : tensor<4x4x1xf32>
  %w1 = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %w2 = arith.constant dense<[[5.0, 6.0, 11.0, 12.0, 0.0, 0.0, 15.0, 16.0, 0.0, 0.0]]> : tensor<1x10xf32>
  // expected-remark @+1 {{filters sorted}}
  %a = "sparse_pattern.conv"(%s, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x2xf32>, tensor<4x4x1xf32>) -> tensor<1x4x2xf32>
  %d = "sparse_pattern.conv"(%a, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 4,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x2xf32>, tensor<4x1x1xf32>) -> tensor<1x4x2xf32>
  %c = tensor.concat dim(1) %x, %d : (tensor<1x1x2xf32>, tensor<1x4x2xf32>) -> tensor<1x5x2xf32>
  %f = tensor.collapse_shape %c [[0], [1, 2]] : tensor<1x5x2xf32> into tensor<1x10xf32>
  %y = "sparse_pattern.linear"(%f, %w2) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.n_m<4, 6>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x10xf32>, tensor<1x10xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// An op that resizes reads its input where it writes, as to channels; a sum over pixels has them, too.
// CHECK-LABEL: func.func @resized_and_summed
// CHECK:         arith.constant dense<{{\[\[\[}}1.000000e+00], [3.000000e+00], [2.000000e+00], [4.000000e+00]]]>
#map = affine_map<(n, c, h) -> (n, c, h)>
#sum = affine_map<(n, c, h) -> (n, c, 0)>
func.func @resized_and_summed(%x: tensor<1x4x2xf32>) -> tensor<1x1x1xf32> {
  %w0 = arith.constant dense<[[[1.0], [5.0], [0.0], [0.0]], [[0.0], [0.0], [2.0], [6.0]], [[3.0], [7.0], [0.0], [0.0]], [[0.0], [0.0], [4.0], [8.0]]]> : tensor<4x4x1xf32>
  %w1 = arith.constant dense<[[[1.0], [2.0], [3.0], [4.0]]]> : tensor<1x4x1xf32>
  // expected-remark @+1 {{filters sorted}}
  %a = "sparse_pattern.conv"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x2xf32>, tensor<4x4x1xf32>) -> tensor<1x4x2xf32>
  %empty = tensor.empty() : tensor<1x4x4xf32>
  %two = arith.constant 2 : index
  %b = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel"]}
    outs(%empty : tensor<1x4x4xf32>) {
  ^bb0(%out: f32):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %row = arith.divui %h, %two : index
    %0 = tensor.extract %a[%n, %c, %row] : tensor<1x4x2xf32>
    linalg.yield %0 : f32
  } -> tensor<1x4x4xf32>
  %zero = arith.constant 0.0 : f32
  %none = tensor.empty() : tensor<1x4x1xf32>
  %start = linalg.fill ins(%zero : f32) outs(%none : tensor<1x4x1xf32>) -> tensor<1x4x1xf32>
  %sum = linalg.generic {indexing_maps = [#map, #sum], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%b : tensor<1x4x4xf32>) outs(%start : tensor<1x4x1xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<1x4x1xf32>
  %y = "sparse_pattern.conv"(%sum, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x1xf32>, tensor<1x4x1xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

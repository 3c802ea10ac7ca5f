// On a GPU all that does not depend on the image is one array: heads of blocks, then their streams.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-compact-storage)' | FileCheck %s

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 64>
module attributes {sparse_pattern.target = "vulkan"} {

// Filter 0 and 1 keep five columns: a group of four and one left over. The head: first filter, line of the stream,
// groups, columns left; then the bias. A second block has one filter with one column. Its stream begins in line 10:
// two heads of two lines, then two groups of three. Zeros stand for weights that are not there.
// CHECK-LABEL: func.func @conv
// CHECK:         %[[WORDS:.+]] = arith.constant dense<[0, 4, 1, 1, 1065353216, 1073741824, 0, 0,
// CHECK-SAME:      2, 10, 0, 1, 1077936128, 0, 0, 0,
// CHECK-SAME:      3, 4, 5, 11,
// CHECK-SAME:      1065353216, 1077936128, 1073741824, 1077936128, 1065353216, 1077936128, 1065353216, 1077936128,
// CHECK-SAME:      12, 0, 0, 0, 1065353216, 1077936128, 0, 0, 0, 0, 0, 0,
// CHECK-SAME:      4, 0, 0, 0, 1082130432, 0, 0, 0]> : tensor<48xi32>
// CHECK:         "sparse_pattern.packed_stream_conv"(%{{.+}}, %[[WORDS]], %{{.+}})
// CHECK:           blocks = 2 : i64, {{.*}}full_blocks = 1 : i64, {{.*}}in_heads = 1 : i64
func.func @conv(%x: tensor<1x2x4xf32, #line>) -> tensor<1x3x4xf32, #line> {
  %w = arith.constant dense<[[[1., 2., 1.], [1., 1., 0.]], [[3., 3., 3.], [3., 3., 0.]], [[0., 4., 0.], [0., 0., 0.]]]> : tensor<3x2x3xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.block_punched<2, 1>, kernel = #sparse_pattern.thread_gemm<2, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<3x2x3xf32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return %y : tensor<1x3x4xf32, #line>
}

// A bias that is computed stays an operand.
// CHECK-LABEL: func.func @computed_bias
// CHECK:         "sparse_pattern.packed_stream_conv"
// CHECK:           in_heads = 0 : i64
func.func @computed_bias(%x: tensor<1x2x4xf32, #line>, %bias: tensor<2xf32>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<1.0> : tensor<2x2x1xf32>
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.thread_gemm<2, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x2x1xf32>, tensor<2xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}
}

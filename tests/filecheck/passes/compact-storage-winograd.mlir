// Weights at the points of Winograd's algorithm, in the order in which its kernel reads them.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-compact-storage)' | FileCheck %s

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>

// Two filters of one channel, in blocks of two: 16 points, at each of which the block's two values are neighbours. A kernel
// of ones is a sum at the points 0, 1, -1 and infinity: -1 x, 3/2 x, 1/2 x and 1 x along each axis; one with a single
// tap in the middle is 0, 1/2, -1/2 and 0.
// CHECK-LABEL: func.func @conv
// CHECK-NOT:     tensor<2x1x3x3xf32>
// CHECK:         %[[VALUES:.+]] = arith.constant dense<[1.0{{.*}}, 0.0{{.*}}, -1.5{{.*}}> : tensor<32xf32>
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.packed_winograd_conv"(%{{.+}}, %[[VALUES]], %{{.+}}) ({
// CHECK:         kernel = #sparse_pattern.winograd<2 : i64, 2 : i64, 1 : i64, 2 : i64, 1 : i64, 2 : i64, 1 : i64>
// CHECK-SAME:    kernel_size = array<i64: 3, 3>
// CHECK:         return %[[Y]]
func.func @conv(%x: tensor<1x1x4x4xf32, #planar>, %bias: tensor<2xf32>) -> tensor<1x2x4x4xf32, #planar> {
  %w = arith.constant dense<[
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]],
    [[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]> : tensor<2x1x3x3xf32>
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<2x1x3x3xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32, #planar>
  return %y : tensor<1x2x4x4xf32, #planar>
}

// On the four phases of the input 5x5 taps are 3x3 at most. With a padding of 1 the layer's first tap is the first one of
// phase 3: at the points 0, 1, -1 and infinity -1 x, 1/2 x, 1/2 x and 0 along each axis; the phases 0 to 2 are zero.
#phases = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 8, 32, 16>
#result = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>

// CHECK-LABEL: func.func @strided
// CHECK:         arith.constant dense<[0.0{{[^-]*}}, 4.0{{[^-]*}}, 0.0{{[^-]*}}, 0.0{{[^-]*}}, 0.0{{[^-]*}}, -2.0{{.*}}]> : tensor<64xf32>
// CHECK:         "sparse_pattern.packed_winograd_conv"
// CHECK:         kernel_size = array<i64: 5, 5>
func.func @strided(%x: tensor<1x1x8x8xf32, #phases>) -> tensor<1x1x4x4xf32, #result> {
  %w = arith.constant dense<[[[[4.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x5x5xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 2, 2>, groups = 1,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.winograd<2, 1, 1, 1, 1, 2, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x8x8xf32, #phases>, tensor<1x1x5x5xf32>) -> tensor<1x1x4x4xf32, #result>
  return %y : tensor<1x1x4x4xf32, #result>
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-pooling)' | FileCheck %s

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 288, 32>

// The convolution keeps its tail, and its place in the network is the pooling's.
// CHECK-LABEL: func.func @fused
// CHECK-SAME:    (%[[X:[^:]+]]: tensor<1x3x32x32xf32, {{[^%]+}}>, %[[VALUES:[^:]+]]: tensor<216xf32>, %[[OFFSETS:[^:]+]]: tensor<33xi32>, %[[BLOCKS:[^:]+]]: tensor<1x4xi32>, %[[BIAS:[^:]+]]: tensor<8xf32>)
// CHECK-NOT:     sparse_pattern.packed_conv
// CHECK:         %[[Y:.+]] = "sparse_pattern.packed_pooled_conv"(%[[X]], %[[VALUES]], %[[OFFSETS]], %[[BLOCKS]], %[[BIAS]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[SUM]])
// CHECK:           full_blocks = 1 : i64
// CHECK-SAME:      kernel = #sparse_pattern.gather_pool<8 : i64,
// CHECK-SAME:      window = array<i64: 2, 2>
// CHECK-SAME:      -> tensor<1x8x16x16xf32
// CHECK-NOT:     sparse_pattern.pool
// CHECK:         return %[[Y]]
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @fused(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
                   %blocks: tensor<1x4xi32>, %bias: tensor<8xf32>) -> tensor<1x8x16x16xf32, #half> {
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<8xf32>)
      -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y : tensor<1x8x16x16xf32, #half>
  }
}

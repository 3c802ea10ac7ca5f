// Tiles hold whole windows: the convolution gets a window, and keeps its tail and its kernel.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-pooling)' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-pooling,sparse-pattern-lower-to-cpu,cse)' | FileCheck %s --check-prefix=CPU

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 288, 32>

// CHECK-LABEL: func.func @fused
// CHECK:         %[[Y:.+]] = "sparse_pattern.packed_winograd_conv"(%{{.+}}, %{{.+}}, %{{.+}}) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK:           kernel = #sparse_pattern.winograd<4 : i64,
// CHECK-SAME:      window = array<i64: 2, 2>
// CHECK-SAME:      -> tensor<1x8x16x16xf32
// CHECK-NOT:     sparse_pattern.pool
// CHECK:         convert_layout"(%[[Y]])

// Of each tile four maxima of four pixels.
// CPU-LABEL: func.func private @winograd_1(
// CPU-COUNT-12:  arith.maximumf %{{.+}}, %{{.+}} : vector<8xf32>
// CPU-NOT:       arith.maximumf
// CPU:           return
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @fused(%plain: tensor<1x3x32x32xf32>, %values: tensor<864xf32>, %bias: tensor<8xf32>)
      -> tensor<1x8x16x16xf32> {
    %x = "sparse_pattern.convert_layout"(%plain) : (tensor<1x3x32x32xf32>) -> tensor<1x3x32x32xf32, #planar>
    %a = "sparse_pattern.packed_winograd_conv"(%x, %values, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
        kernel = #sparse_pattern.winograd<4, 8, 3, 8, 1, 2, 2>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<864xf32>, tensor<8xf32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    %result = "sparse_pattern.convert_layout"(%y) : (tensor<1x8x16x16xf32, #half>) -> tensor<1x8x16x16xf32>
    return %result : tensor<1x8x16x16xf32>
  }
}

// What stays as it is.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-pooling)' --split-input-file --verify-diagnostics
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-pooling)' --split-input-file | FileCheck %s

// CHECK-NOT: packed_pooled_conv
// CHECK:     sparse_pattern.pool
// CHECK-NOT: packed_pooled_conv

// Rows of 18 pixels take two vectors each, nearly half of it in vain.
#planar = #sparse_pattern.planar<array<i64: 18, 18>, array<i64: 19, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 368, 64>
#half = #sparse_pattern.planar<array<i64: 9, 9>, array<i64: 10, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 112, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @not_faster(%x: tensor<1x32x18x18xf32, #planar>, %values: tensor<2304xf32>, %offsets: tensor<294xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x9x9xf32, #half> {
    // expected-remark @+1 {{max 2x2 is not fused: it is estimated to take}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x32x18x18xf32, #planar>, tensor<2304xf32>, tensor<294xi32>, tensor<1x4xi32>) -> tensor<1x8x18x18xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x18x18xf32, #planar>) -> tensor<1x8x9x9xf32, #half>
    return %y : tensor<1x8x9x9xf32, #half>
  }
}

// -----

// The result is needed itself.
#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 304, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @two_readers(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> (tensor<1x8x16x16xf32, #half>, tensor<1x8x32x32xf32, #planar>) {
    // expected-remark @+1 {{max 2x2 is not fused: the convolution has 2 readers}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y, %a : tensor<1x8x16x16xf32, #half>, tensor<1x8x32x32xf32, #planar>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 304, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @residual(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>, %r: tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half> {
    // expected-remark @+1 {{max 2x2 is not fused: the convolution also adds or multiplies 1 tensor of its size}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %r) ({
    ^bb0(%acc: f32, %q: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y : tensor<1x8x16x16xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 304, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @tail(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x16x16xf32, #half> {
    // expected-remark @+1 {{max 2x2 is not fused: 2 elementwise ops behind it would come along}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      %zero = arith.constant 0.0 : f32
      %0 = arith.maximumf %acc, %zero : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y : tensor<1x8x16x16xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 160, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @wide_windows(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x16x8xf32, #half> {
    // expected-remark @+1 {{max 2x4 is not fused: windows must have 2 columns, and 1 or 2 of all else}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 4>, strides = array<i64: 2, 4>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x8xf32, #half>
    return %y : tensor<1x8x16x8xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 8, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 160, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @tall_windows(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x8x16xf32, #half> {
    // expected-remark @+1 {{max 4x2 is not fused: windows must have 2 columns, and 1 or 2 of all else}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 4, 2>, strides = array<i64: 4, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x8x16xf32, #half>
    return %y : tensor<1x8x8x16xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 304, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @depthwise(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x16x16xf32, #half> {
    // expected-remark @+1 {{max 2x2 is not fused: the kernel is a depthwise, not a gather_gemm}}
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.depthwise<1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y : tensor<1x8x16x16xf32, #half>
  }
}

// -----

// Other windows are never fused: nobody is told.
#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 16, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 304, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @average(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x16x16xf32, #half> {
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x16x16xf32, #half>
    return %y : tensor<1x8x16x16xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 15, 15>, array<i64: 16, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 256, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @overlap(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x15x15xf32, #half> {
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x15x15xf32, #half>
    return %y : tensor<1x8x15x15xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 17, 17>, array<i64: 18, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 336, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @padding(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x17x17xf32, #half> {
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x17x17xf32, #half>
    return %y : tensor<1x8x17x17xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 15, 15>, array<i64: 16, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 256, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @dilation(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<216xf32>, %offsets: tensor<33xi32>,
      %blocks: tensor<1x4xi32>) -> tensor<1x8x15x15xf32, #half> {
    %a = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
        groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<8, 3, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<216xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 2, 2>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x15x15xf32, #half>
    return %y : tensor<1x8x15x15xf32, #half>
  }
}

// -----

#planar = #sparse_pattern.planar<array<i64: 32, 32>, array<i64: 33, 1>, array<i64: 1, 1>, array<i64: 0>, 48, 1104, 64>
#half = #sparse_pattern.planar<array<i64: 32, 16>, array<i64: 17, 1>, array<i64: 1, 1>, array<i64: 0>, 32, 576, 64>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @tiles(%x: tensor<1x3x32x32xf32, #planar>, %values: tensor<864xf32>) -> tensor<1x8x32x16xf32, #half> {
    // expected-remark @+1 {{max 1x2 is not fused: windows of Winograd's tiles must have 2 rows and 2 columns of one frame}}
    %a = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
        kernel = #sparse_pattern.winograd<4, 8, 3, 8, 1, 2, 2>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x32x32xf32, #planar>, tensor<864xf32>) -> tensor<1x8x32x32xf32, #planar>
    %y = "sparse_pattern.pool"(%a) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x8x32x32xf32, #planar>) -> tensor<1x8x32x16xf32, #half>
    return %y : tensor<1x8x32x16xf32, #half>
  }
}

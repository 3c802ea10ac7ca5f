// What the verifier of packed_pooled_conv refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs input and result of one rank, got 4 and 3}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a kernel_size as an array of integers, got 3 : i64}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = 3, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a scheme of this dialect, got "dense"}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = "dense",
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a kernel of sparse_pattern.gather_pool, got #sparse_pattern.gather_gemm<4 : i64, 2 : i64, 1 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a kernel whose numbers are at least 1}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 0, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has 2 full blocks of 1}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 2,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs 2 strides for 2 spatial dimensions, got array<i64: 1>}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a window of 2 sizes, got 2 : i64}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = 2, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a window of 2 sizes, got array<i64: 2>}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a window of 2 columns and 1 or 2 of all else, got [2, 3]}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs a window of 2 columns and 1 or 2 of all else, got [3, 2]}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 3, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op computes spatial sizes [8, 4], but its result has [4, 4]}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 1, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has 1 images, but its result is 2x4x4x4}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<2x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has 2 groups, which do not divide 3 channels and 4 filters}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 2, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op needs its input and its result in planar layout}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op writes phases of [2, 2], but only conversions do}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 6, 6>, array<i64: 7, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 64, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op computes 12 x 1 elements, but reads a pitch of 9}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 3, 3, 3, 3>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x6x6xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has strides [2, 2] but reads phases of [1, 1]}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2>, 16, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op reads phases [3], but its input has [0, 1, 2]}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op reads a planar layout that has a lead of 8 elements, too small for 10 of halo}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>,
             %e: tensor<1x4x4x4xf32, #half>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has operands per position, but keeps no value of each}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks, %e) ({
  ^bb0(%acc: f32, %r: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<1x4x4x4xf32, #half>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>,
             %e: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pooled_conv' op has an operand per filter of shape 3 for 4 filters}}
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks, %e) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<3xf32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

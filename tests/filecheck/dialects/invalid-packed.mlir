// What the verifiers of the packed ops refuse.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs input and result of one rank, got 4 and 3}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x4x8xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs a kernel_size as an array of integers, got 3 : i64}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = 3, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs a scheme of this dialect, got "dense"}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = "dense",
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf16>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs values of rank 1 and f32, got tensor<108xf16>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf16>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi64>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs offsets of rank 1 and i16 or i32, got tensor<33xi64>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi64>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs blocks of rank 2 and i32, got tensor<4xi32>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x5xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs blocks of four numbers each, got tensor<1x5xi32>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x5xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has 2 full blocks of 1}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 2,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has -1 full blocks of 1}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = -1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs a kernel of sparse_pattern.gather_gemm or sparse_pattern.lane_gemm or sparse_pattern.spmm or sparse_pattern.depthwise, got 8 : i64}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense, kernel = 8,
      full_blocks = 1, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

// The pattern kernel reads another packed form.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs a kernel of sparse_pattern.gather_gemm or sparse_pattern.lane_gemm or sparse_pattern.spmm or sparse_pattern.depthwise, got #sparse_pattern.pattern_gemm<4 : i64, 2 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.pattern_gemm<4, 2, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

// A kernel of single filters finds all of them in each part.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<114xi32>,
             %blocks: tensor<4x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs 2 parts of 4 blocks each, got tensor<4x4xi32>}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.unstructured,
      kernel = #sparse_pattern.spmm<4, 2, 1, 2>, full_blocks = 4,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<114xi32>, tensor<4x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

// Windows are checked as in the logical form.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has a kernel of 1 dimensions for 2 spatial dimensions}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has 2 groups, which do not divide 3 channels and 4 filters}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 2, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

// There are no packed convolutions on plain tensors.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs both its input and its result in planar layout, or neither}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

func.func @f(%x: tensor<1x3x8x8xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op needs its input and its result in planar layout}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has 1 images, but its result is 2x4x8x8}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<2x4x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>,
             %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_conv' op has an operand per filter of shape 3 for 4 filters}}
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<3xf32>)
    -> tensor<1x4x8x8xf32, #planar>
  return
}

// -----

func.func @f(%x: tensor<2x27xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_linear' op has panels, which only kernels of row_gemm take}}
  %y = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<2x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x27xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<4x1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_linear' op needs blocks of four numbers each, got tensor<4x1xi32>}}
  %y = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<2x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<4x1xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x27xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_linear' op needs a kernel of sparse_pattern.matvec or sparse_pattern.row_gemm, got #sparse_pattern.depthwise<1 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.depthwise<1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<2x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x27xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_linear' op has 2 rows, but its result is 3x4}}
  %y = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<2x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x27xf32>,
             %values: tensor<108xf32>,
             %offsets: tensor<33xi32>,
             %blocks: tensor<1x4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_linear' op yields f64 for a result of f32}}
  %y = "sparse_pattern.packed_linear"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    %wide = arith.extf %acc : f32 to f64
    "sparse_pattern.yield"(%wide) : (f64) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>, full_blocks = 1,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<2x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<2x4xf32>
  return
}

// What the verifiers of the logical ops refuse: shapes, windows, groups, schemes.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs input, weight and result of one rank, got 4, 3 and 4}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs static shapes, got tensor<?x4x8x8xf32>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf16>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has weights of f16 for an input of f32}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf16>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4xf32>, %w: tensor<6x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs one to three spatial dimensions, got an input of rank 2}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<6x4xf32>) -> tensor<1x6xf32>
  return
}

// -----

// Four spatial dimensions.
func.func @f(%x: tensor<1x4x8x8x8x8xf32>, %w: tensor<6x4x3x3x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs one to three spatial dimensions, got an input of rank 6}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8x8x8xf32>, tensor<6x4x3x3x3x3xf32>) -> tensor<1x6x6x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs 2 strides for 2 spatial dimensions, got array<i64: 1>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs 2 dilations for 2 spatial dimensions, got [1, 1]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = [1, 1], padding = array<i64: 0, 0, 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// Zeros before each dimension and after it.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs 4 padding for 2 spatial dimensions, got array<i64: 1, 1>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs strides of at least 1, got array<i64: 1, 0>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs padding of at least 0, got array<i64: 0, -1, 0, 0>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, -1, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x0xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs a kernel of at least 1 in each dimension, got [3, 0]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x0xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// A kernel of 3 that is dilated by 4 covers 9 pixels.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has a window larger than its padded input of 1x4x8x8}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 4, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op computes spatial sizes [6, 6], but its result has [6, 8]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has 3 groups, which do not divide 4 channels and 6 filters}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 3, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has 0 groups, which do not divide 4 channels and 6 filters}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 0, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// Weights have the channels of one group.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has weights for 8 channels, but its input has 4}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 2, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has 6 filters on 1 images, but its result is 2x6x6x6}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<2x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs a scheme of this dialect, got "dense"}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = "dense", operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has a scheme that fits no weights: block_punched(0x4) needs blocks of at least 1 filter and 1 channel}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.block_punched<0, 4>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has a scheme that fits no weights: pattern(4x0x1) needs at least 1 tap, 1 pattern and 1 filter}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.pattern<4, 0, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has a scheme that fits no weights: block_column_row(8x0) needs blocks of at least 1 filter and 1 column}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.block_column_row<8, 0>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has a scheme that fits no weights: n_m(5:4) keeps 5 of 4: choose from 1 to 4}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.n_m<5, 4>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// A kernel may be chosen before the weights are packed.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs a kernel of sparse_pattern.gather_gemm or sparse_pattern.thread_gemm or sparse_pattern.thread_depthwise or sparse_pattern.lane_gemm or sparse_pattern.pattern_gemm or sparse_pattern.spmm or sparse_pattern.winograd or sparse_pattern.depthwise, got #sparse_pattern.matvec<4 : i64, 1 : i64, 1 : i64>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs a kernel whose numbers are at least 1, got #sparse_pattern.gather_gemm<8 : i64, 0 : i64, 1 : i64, 1 : i64>}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, kernel = #sparse_pattern.gather_gemm<8, 0, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// IRDL's own check of an attribute that is missing.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op attribute "scheme" is expected but not provided}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<1x2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs input and result of rank 2, or one of them in panels, got 3 and 3}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x3xf32>, tensor<4x3xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x5xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has weights for 3 inputs, but its input has 5}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x5xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has 2 rows, but its result is 4x2}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has 4 filters, but its result is 2x2}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs weights of rank 2, got 3}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<1x4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs a scheme of this dialect, got unit}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = unit, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs static shapes, got tensor<?x3xf32>}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<?x3xf32>, tensor<4x3xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs a kernel of sparse_pattern.matvec or sparse_pattern.thread_matvec or sparse_pattern.row_gemm, got #sparse_pattern.depthwise<1 : i64, 1 : i64>}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.depthwise<1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op needs kind max or sum, got min}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "min", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op needs a kernel as an array of integers, got 2 : i64}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = 2, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op has a kernel of 1 dimensions for 2 spatial dimensions}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op needs a kernel of at least 1 in each dimension, got [0, 2]}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 0, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x?x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op needs static shapes, got tensor<1x?x8x8xf32>}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x?x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op has 1x4x8x8 as its input, but its result is 1x5x4x4}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x5x4x4xf32>
  return
}

// -----

// Only a window that spans the whole input may drop the spatial dimensions.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op computes spatial sizes [4, 4], but its result has []}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4xf32>
  return
}

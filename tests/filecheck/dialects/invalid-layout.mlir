// What the verifiers refuse of layouts: numbers that make none, and halos too small for a window.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op changes tensor<1x4x8x8xf32> into tensor<1x4x8x9xf32>, but only the layout may change}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x9xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op changes tensor<1x4x8x8xf32> into tensor<1x4x8x8xf16>, but only the layout may change}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf16>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op needs tensors that are plain or in planar layout, got tensor<1x4x8x8xf32, "planar">}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, "planar">
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op needs sizes, pitches, strides and phases as arrays of integers, got #sparse_pattern.planar<8 : i64,}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<8, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 8, 0>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs pitches and strides as sizes, got 1 and 2 for 2}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs sizes and strides of at least 1}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 0>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs neighbours one element apart, got a last pitch of 2}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 18, 2>, array<i64: 1, 1>, array<i64: 0>, 16, 192, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that has rows that overlap: pitch 7 is less than 8 x 1}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 7, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

// Phases are numbered row by row, each is stored once.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs phases in ascending order below 4, got [1, 0]}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 1, 0>, 16, 96, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs phases in ascending order below 4, got [4]}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 4>, 16, 96, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that has planes of 70 elements, too small for an extent of 71}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 70, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout that needs lead and slack of at least 0}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, -1>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout of [8, 7] for spatial sizes [8, 8]}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 7>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

// A plane of phases has half the rows and columns.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout of [8, 8] for spatial sizes [4, 4]}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

// A layout of fewer dimensions.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has a planar layout of [8] for spatial sizes [8, 8]}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32>)
    -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 16, 96, 16>>
  return
}

// -----

func.func @f(%x: tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 16, 96, 16>>) {
  // expected-error @+1 {{'sparse_pattern.convert_layout' op has an input that is split into phases, from which nothing is converted}}
  %y = "sparse_pattern.convert_layout"(%x)
    : (tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 16, 96, 16>>)
    -> tensor<1x4x8x8xf32>
  return
}

// -----

#target = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs both its input and its result in planar layout, or neither}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op needs both its input and its result in planar layout, or neither}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 10, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads pitches [9, 1] but writes pitches [10, 1]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 3>, array<i64: 9, 1>, array<i64: 1, 3>, array<i64: 0, 1, 2>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has strides [2, 2] but reads phases of [1, 3]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x4xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
// Only the depthwise kernel takes every other pixel itself.
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has strides [2, 2], so its kernel needs an input split into phases}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.gather_gemm<1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x4xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 0, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
// It finds its halo there.
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads a planar layout that has a lead of 0 elements, too small for 10 of halo}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x4xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op writes phases of [2, 2], but only conversions do}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

// The last row and column of taps read odd rows and columns.
#source = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads phases [1, 2, 3], but its input has [0]}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x4xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 8, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 8, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads a planar layout that has a pitch of 8, too small for 8 x 1 and 1 of halo}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

// A tap one row up and one column to the left reads 10 elements before the pixel.
#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 9, 96, 16>
#target = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads a planar layout that has a lead of 9 elements, too small for 10 of halo}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 80, 16>
#target = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op reads a planar layout that has planes of 80 elements, too small for an extent of 71 and 10 of halo}}
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32, #target>
  return
}

// -----

#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 32, 16>
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.pool' op needs its input in planar layout, as its result is}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32, #target>
  return
}

// -----

#source = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 0>, 16, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 32, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>) {
  // expected-error @+1 {{'sparse_pattern.pool' op reads or writes phases, but only convolutions read and conversions write them}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>) -> tensor<1x4x4x4xf32, #target>
  return
}

// -----

// A window of 3 x 3 at every second pixel, and one row and column of padding.
#source = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 0, 96, 16>
#target = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 32, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #source>) {
  // expected-error @+1 {{'sparse_pattern.pool' op reads a planar layout that has a lead of 0 elements, too small for 10 of halo}}
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32, #source>) -> tensor<1x4x4x4xf32, #target>
  return
}

// -----

// A linear layer reads plain rows.
func.func @f(%x: tensor<2x3xf32, #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 16, 96, 16>>,
             %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has a planar layout of [3] for spatial sizes []}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32, #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 16, 96, 16>>, tensor<4x3xf32>)
    -> tensor<2x4xf32>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32>, %y: tensor<1x4x8x8xf32, #line>) {
  // expected-error @+1 {{'sparse_pattern.concat' op needs inputs of the result's layout}}
  %z = "sparse_pattern.concat"(%x, %y) : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32, #line>) -> tensor<1x8x8x8xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<2x4x8x8xf32, #line>, %y: tensor<1x4x8x8xf32, #line>) {
  // expected-error @+1 {{'sparse_pattern.concat' op needs inputs that differ from 1x8x8x8 in their channels alone}}
  %z = "sparse_pattern.concat"(%x, %y) : (tensor<2x4x8x8xf32, #line>, tensor<1x4x8x8xf32, #line>) -> tensor<1x8x8x8xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x4x8x8xf32, #line>, %y: tensor<1x4x8x8xf32, #line>) {
  // expected-error @+1 {{'sparse_pattern.concat' op joins 8 channels, but its result is 1x9x8x8}}
  %z = "sparse_pattern.concat"(%x, %y) : (tensor<1x4x8x8xf32, #line>, tensor<1x4x8x8xf32, #line>) -> tensor<1x9x8x8xf32, #line>
  return
}

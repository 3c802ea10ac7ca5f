// What the verifier of packed_winograd_conv refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs input and result of one rank, got 4 and 3}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a kernel_size as an array of integers, got 3 : i64}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = 3, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a scheme of this dialect, got "dense"}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = "dense",
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a kernel of sparse_pattern.winograd, got #sparse_pattern.matvec<2 : i64, 2 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.matvec<2, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a kernel whose numbers are at least 1}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs tiles of 2 or 4 outputs, got 3}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<3, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs groups of whole blocks of 2 filters, got 3}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 3, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs taps that fill squares of 3x3 or 4x4 in the planes of its input}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      kernel_size = array<i64: 1, 1>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 6, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 48, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs tiles of 4 outputs, got 2}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 2, 2>, groups = 1,
      kernel_size = array<i64: 4, 4>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x2x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs one group, got 2}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 2,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op computes spatial sizes [2, 2], but its result has [4, 4]}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs both its input and its result in planar layout, or neither}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf16>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs values of rank 1 and f32, got tensor<32xf16>}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf16>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<31xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs 32 values for 2 filters of 1 planes, got}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<31xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a window of [1, 1] or [2, 2], got array<i64: 1, 2>}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 1, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs a window of [1, 1] or [2, 2], got 2 : i64}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = 2, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op computes spatial sizes [2, 2], but its result has [4, 4]}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x4x4xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op has 1 images, but its result is 2x2x2x2}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<2x2x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>, %r: tensor<1x2x2x2xf32, #half>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op has operands per position, but keeps no value of each}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values, %r) ({
  ^bb0(%acc: f32, %q: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>, tensor<1x2x2x2xf32, #half>) -> tensor<1x2x2x2xf32, #half>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs its input and its result in planar layout}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
      kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x2x2xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>
#half = #sparse_pattern.planar<array<i64: 2, 2>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 24, 16>
func.func @f(%x: tensor<1x1x4x4xf32, #planar>, %values: tensor<32xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_winograd_conv' op needs one group, got 0}}
  %y = "sparse_pattern.packed_winograd_conv"(%x, %values) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 0,
      kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
      kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>) -> tensor<1x2x2x2xf32, #half>
  return
}

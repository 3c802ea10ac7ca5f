// What the verifier of packed_pattern_conv refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs input and result of one rank, got 4 and 3}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs a kernel_size as an array of integers, got 3 : i64}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = 3, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs a scheme of this dialect, got "patterns"}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = "patterns", kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<?xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs static shapes, got tensor<?xf32>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<?xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op has a kernel of 1 dimensions for 2 spatial dimensions}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

// Blocks of filters are another packed form.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs a kernel of sparse_pattern.pattern_gemm, got #sparse_pattern.gather_gemm<1 : i64, 4 : i64, 1 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.gather_gemm<1, 4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs a kernel whose numbers are at least 1, got #sparse_pattern.pattern_gemm<2 : i64, 0 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 0, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

func.func @f(%x: tensor<1x3x8x8xf32>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs its input and its result in planar layout}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs both its input and its result in planar layout, or neither}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op has 2 groups, which do not divide 3 channels and 2 filters}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 2, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

// All filters of a group may have the same pattern: a count of 16 bits would be 0.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi16>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs groups of at most 65535 filters, got 65536}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<70000, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi16>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x65536x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf16>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs values of rank 1 and f32, got tensor<6xf16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf16>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<3x2xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs values of rank 1 and f32, got tensor<3x2xf32>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<3x2xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

// A group of up to 256 filters counts them in a byte, ...
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi16>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs filters of rank 1 and i8, got tensor<3xi16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi16>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

// ... a larger one in two.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs filters of rank 1 and i16, got tensor<3xi8>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<300, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x257x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<i8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs filters of rank 1 and i8, got tensor<i8>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<i8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs counts of rank 3 and i16, got tensor<3x2xi16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi32>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs counts of rank 3 and i16, got tensor<1x3x2xi32>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi32>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi64>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs starts of rank 1 and i32, got tensor<1xi64>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi64>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x4x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs counts for 1 groups of filters and 3 channels, got tensor<1x4x2xi16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x4x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

// Five filters in groups of two.
#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs counts for 3 groups of filters and 3 channels, got tensor<1x3x2xi16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x5x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<2xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs 1 starts, got tensor<2xi32>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<2xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs patterns as an array of taps, got 4 : i64}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = 4,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x0xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs counts for at least one pattern, got tensor<1x3x0xi16>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x0xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs 2 patterns of taps below 9, got array<i64>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs 2 patterns of taps below 9, got array<i64: 4, 5, 1>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs 2 patterns of taps below 9, got array<i64: 4, 5, 1, 9>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 9>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs 2 patterns of taps below 9, got array<i64: -1, 5, 1, 4>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: -1, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<7xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op needs values for 3 kernels of 2 taps, got tensor<7xf32>}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<7xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op has 1 images, but its result is 2x2x8x8}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>)
    -> tensor<2x2x8x8xf32, #planar>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
func.func @f(%x: tensor<1x3x8x8xf32, #planar>,
             %values: tensor<6xf32>,
             %filters: tensor<3xi8>,
             %counts: tensor<1x3x2xi16>,
             %starts: tensor<1xi32>,
             %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_pattern_conv' op has an operand per filter of shape 3 for 2 filters}}
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0>}
    : (tensor<1x3x8x8xf32, #planar>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>, tensor<3xf32>)
    -> tensor<1x2x8x8xf32, #planar>
  return
}

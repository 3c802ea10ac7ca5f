// Layouts made for narrower vectors: whole ones would write the next plane, or read beyond the input. Assignment gives none of
// these for the target it was told.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-lower-to-cpu)'

#source = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 16>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 16>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @short_planes(%x: tensor<1x2x9xf32>, %values: tensor<1xf32>, %offsets: tensor<7xi32>, %blocks: tensor<1x4xi32>) {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x9xf32>) -> tensor<1x2x9xf32, #source>
    // expected-error @+1 {{writes 16 elements of planes that have 12: assign layouts for vectors of 16}}
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 1>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x9xf32, #source>, tensor<1xf32>, tensor<7xi32>, tensor<1x4xi32>) -> tensor<1x1x9xf32, #result>
    return
  }
}

// -----

#source = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 3>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @little_slack(%x: tensor<1x2x9xf32>, %values: tensor<1xf32>, %offsets: tensor<7xi32>, %blocks: tensor<1x4xi32>) {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x9xf32>) -> tensor<1x2x9xf32, #source>
    // expected-error @+1 {{reads 28 elements of an image that has 27: assign layouts for vectors of 16}}
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 1>, scheme = #sparse_pattern.dense, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x9xf32, #source>, tensor<1xf32>, tensor<7xi32>, tensor<1x4xi32>) -> tensor<1x1x9xf32, #result>
    return
  }
}

// -----

// The kernel of patterns covers a plane in the same way.
#source = #sparse_pattern.planar<array<i64: 10>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 16>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @short_planes_of_patterns(%x: tensor<1x2x10xf32>, %values: tensor<4xf32>, %filters: tensor<2xi8>,
                                      %counts: tensor<1x2x1xi16>, %starts: tensor<1xi32>) {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x10xf32>) -> tensor<1x2x10xf32, #source>
    // expected-error @+1 {{writes 16 elements of planes that have 12: assign layouts for vectors of 16}}
    %y = "sparse_pattern.packed_pattern_conv"(%planar, %values, %filters, %counts, %starts) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 2>, patterns = array<i64: 0, 1>, scheme = #sparse_pattern.pattern<2, 1, 1>,
        kernel = #sparse_pattern.pattern_gemm<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x10xf32, #source>, tensor<4xf32>, tensor<2xi8>, tensor<1x2x1xi16>, tensor<1xi32>)
      -> tensor<1x1x9xf32, #result>
    return
  }
}

// -----

#source = #sparse_pattern.planar<array<i64: 10>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 4>
#result = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @little_slack_of_patterns(%x: tensor<1x2x10xf32>, %values: tensor<4xf32>, %filters: tensor<2xi8>,
                                      %counts: tensor<1x2x1xi16>, %starts: tensor<1xi32>) {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x10xf32>) -> tensor<1x2x10xf32, #source>
    // expected-error @+1 {{reads 29 elements of an image that has 28: assign layouts for vectors of 16}}
    %y = "sparse_pattern.packed_pattern_conv"(%planar, %values, %filters, %counts, %starts) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        kernel_size = array<i64: 2>, patterns = array<i64: 0, 1>, scheme = #sparse_pattern.pattern<2, 1, 1>,
        kernel = #sparse_pattern.pattern_gemm<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x10xf32, #source>, tensor<4xf32>, tensor<2xi8>, tensor<1x2x1xi16>, tensor<1xi32>)
      -> tensor<1x1x9xf32, #result>
    return
  }
}

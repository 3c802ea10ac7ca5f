// What the verifier of normalisations of planes refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @groups(%x: tensor<1x8x4x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op has 3 groups, which do not divide 8 channels and 8 filters}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64>, groups = 3, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  return
}

// -----

func.func @epsilon(%x: tensor<1x8x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op needs an epsilon of at least 0, got -1}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64>, groups = 2, epsilon = -1.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @rank(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op needs images x channels x one to three dimensions, got 4x8}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @element(%x: tensor<1x8x4xf16>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op needs an input of f32, got f16}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f16):
    "sparse_pattern.yield"(%acc) : (f16) -> ()
  }) {positions = array<i64>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4xf16>) -> tensor<1x8x4xf16>
  return
}

// -----

func.func @result(%x: tensor<1x8x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op has 1x8x4 as its input, but its result is 1x8x5}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4xf32>) -> tensor<1x8x5xf32>
  return
}

// -----

#planar = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>

func.func @layout(%x: tensor<1x8x4xf32, #planar>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op needs an input of the result's layout, which is not split into phases}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4xf32, #planar>) -> tensor<1x8x4xf32>
  return
}

// -----

func.func @positions(%x: tensor<1x8x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op takes positions 0 to 4 of 4}}
  %y = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64: 0, 4>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x8x4xf32>) -> tensor<1x8x2xf32>
  return
}

// -----

func.func @added(%x: tensor<1x8x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.normalize_planes' op has operands per position, and takes positions of what they are added to}}
  %y = "sparse_pattern.normalize_planes"(%x, %x) ({
  ^bb0(%acc: f32, %other: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {positions = array<i64: 0, 1, 2, 3>, groups = 1, epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 1>}
    : (tensor<1x8x4xf32>, tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  return
}

// What the verifier of takes refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @rank(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.take' op needs images x channels x one to three dimensions, got 2x4}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @element(%x: tensor<1x2x2xi32>) {
  // expected-error @+1 {{'sparse_pattern.take' op makes i32 of i32, but takes f32 or f16 as it is}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64: 0>} : (tensor<1x2x2xi32>) -> tensor<1x2x1xi32>
  return
}

// -----

func.func @channels(%x: tensor<1x2x2xf32>) {
  // expected-error @+1 {{'sparse_pattern.take' op has 1x2x2 as its input, but its result is 1x3x2}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64: 0, 1>} : (tensor<1x2x2xf32>) -> tensor<1x3x2xf32>
  return
}

// -----

#phases = #sparse_pattern.planar<array<i64: 1>, array<i64: 1>, array<i64: 2>, array<i64: 0, 1>, 0, 4, 4>

func.func @phases(%x: tensor<1x2x2xf32, #phases>) {
  // expected-error @+1 {{'sparse_pattern.take' op has an input that is split into phases, from which nothing is taken}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64: 0, 1>} : (tensor<1x2x2xf32, #phases>) -> tensor<1x2x2xf32>
  return
}

// -----

func.func @type(%x: tensor<1x2x2xf32>) {
  // expected-error @+1 {{'sparse_pattern.take' op needs positions as an array of integers, got [0, 1]}}
  %y = "sparse_pattern.take"(%x) {positions = [0, 1]} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return
}

// -----

func.func @count(%x: tensor<1x2x2x2xf32>) {
  // expected-error @+1 {{'sparse_pattern.take' op has 3 positions for a result of 4 rows and columns}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64: 0, 1, 0>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  return
}

// -----

func.func @range(%x: tensor<1x2x2xf32>) {
  // expected-error @+1 {{'sparse_pattern.take' op takes positions 0 to 2 of 2}}
  %y = "sparse_pattern.take"(%x) {positions = array<i64: 0, 2>} : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return
}

// What the verifiers refuse of epilogues: their operands, arguments and code.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %bias: tensor<4xf32>) {
  // expected-error @+1 {{'sparse_pattern.conv' op has an operand per filter of shape 4 for 6 filters}}
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>,
      groups = 1, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<4xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %residual: tensor<2x1xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has an operand per position of type tensor<2x1xf32> for a result of type tensor<2x4xf32>}}
  %y = "sparse_pattern.linear"(%x, %w, %residual) ({
  ^bb0(%acc: f32, %r: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs an epilogue of one block}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op needs an epilogue of one block}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    cf.br ^bb1
  ^bb1:
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %bias: tensor<4xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has an epilogue with 1 arguments for an accumulator and 1 operands}}
  %y = "sparse_pattern.linear"(%x, %w, %bias) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has an accumulator of type f64 for an input of f32}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f64):
    %narrow = arith.truncf %acc : f64 to f32
    "sparse_pattern.yield"(%narrow) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %bias: tensor<4xf16>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has an epilogue argument of f32 for an operand of tensor<4xf16>}}
  %y = "sparse_pattern.linear"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4xf16>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has an epilogue that does not end in sparse_pattern.yield}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "other.end"() : () -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op has sparse_pattern.linear in its epilogue, where only arith and math may be}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    %inner = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%a: f32):
      "sparse_pattern.yield"(%a) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// Constants may come from outside, other values may not: a kernel would not find them.
func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  %two = arith.constant 2.0 : f32
  %four = arith.addf %two, %two : f32
  // expected-error @+1 {{'sparse_pattern.linear' op has an epilogue that uses a value from outside, of f32}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    %y0 = arith.addf %acc, %four : f32
    "sparse_pattern.yield"(%y0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.linear' op yields f64 for a result of f32}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    %wide = arith.extf %acc : f32 to f64
    "sparse_pattern.yield"(%wide) : (f64) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// IRDL gives one type to all operands of a list.
func.func @f(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<4xf16>) {
  // expected-error @+1 {{expected 'tensor<4xf32>' but got 'tensor<4xf16>'}}
  %y = "sparse_pattern.linear"(%x, %w, %a, %b) ({
  ^bb0(%acc: f32, %s: f32, %t: f16):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 2, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4xf32>, tensor<4xf16>) -> tensor<2x4xf32>
  return
}

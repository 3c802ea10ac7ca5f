// What the verifier of `recurrent` refuses: sizes, element types, and cells.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<?x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs static shapes, got tensor<?x2x3xf32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<?x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<?x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs inputs and states of rank 3, got 2 and 3}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<0x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs steps, sequences, units and states, got tensor<0x2x3xf32> and tensor<1x2x3xf32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<0x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<0x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x4x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has inputs of 5x2x3 for states of 1x4x3}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x4x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x4x3xf32>)
  return
}

// -----

// Four inputs are no whole number of gates.
func.func @f(%x: tensor<5x2x4xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has inputs of 5x2x4 for states of 1x2x3}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x4xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf16>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has states of f16 for inputs of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf16>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf16>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op computes [5, 2, 3] of f32, but its result is tensor<5x2x4xf32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x4xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op computes [5, 2, 3] of f32, but its result is tensor<5x2x3xf16>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf16>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op begins with states of tensor<1x2x3xf32>, but ends with tensor<2x2x3xf32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<2x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>, %n: tensor<2xi32>, %m: tensor<2xi32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has 2 operands lengths, not one}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s, %n, %m) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 2, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>, tensor<2xi32>, tensor<2xi32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs lengths of 2xi32, got tensor<3xi32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s, %n) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>, tensor<3xi32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>, %n: tensor<2xi64>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs lengths of 2xi32, got tensor<2xi64>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s, %n) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>, tensor<2xi64>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>, %p: tensor<1x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs per_unit of ?x3xf32, got tensor<1x4xf32>}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s, %p) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>, tensor<1x4xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs reverse as true or false, got 1 : i64}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = 1, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// The other gates make what late ones multiply: one at least is not late.
func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has 1 late gates of 1}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 1, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x4xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has weights of 3x4 for 1 gates of 3 units}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x4xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xbf16>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has weights of bf16 for inputs of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xbf16>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs a cell of 3 arguments of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// One for a number per unit.
func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>, %p: tensor<1x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs a cell of 4 arguments of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s, %p) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>, tensor<1x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs a cell of 3 arguments of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f16):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has a cell that does not end in sparse_pattern.next}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    "sparse_pattern.yield"(%product) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has tensor.empty in its cell, where only arith and math may be}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %t = tensor.empty() : tensor<3xf32>
    "sparse_pattern.next"(%product) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%a: f32, %x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has a cell that uses a value from outside, of f32}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %a : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x3xf32>, %w: tensor<3x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs a cell that gives 1 values of f32, got 2}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    "sparse_pattern.next"(%product, %input) : (f32, f32) -> ()
  }) {reverse = false, late = 0, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x3xf32>, tensor<3x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

// The last one is what the late gate multiplies.
func.func @f(%x: tensor<5x2x6xf32>, %w: tensor<6x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op needs a cell that gives 2 values of f32, got 1}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%pr: f32, %pn: f32, %i: f32, %j: f32, %h: f32):
    "sparse_pattern.next"(%pr) : (f32) -> ()
  }) {reverse = false, late = 1, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x6xf32>, tensor<6x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @f(%x: tensor<5x2x6xf32>, %w: tensor<6x3xf32>, %s: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'sparse_pattern.recurrent' op has late gates that depend on themselves}}
  %y:2 = "sparse_pattern.recurrent"(%x, %w, %s) ({
  ^bb0(%pr: f32, %pn: f32, %i: f32, %j: f32, %h: f32):
    %reset = arith.mulf %pr, %h : f32
    %new = arith.addf %pn, %i : f32
    "sparse_pattern.next"(%new, %new) : (f32, f32) -> ()
  }) {reverse = false, late = 1, scheme = #sparse_pattern.dense,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<5x2x6xf32>, tensor<6x3xf32>, tensor<1x2x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return
}

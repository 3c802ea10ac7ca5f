// Units of recurrent layers, with their rows in all gates, their columns and their states.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-trim-channels)' | FileCheck %s
// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-trim-channels)'

// Two gates. Units 1 and 2 begin at zero and their new values are tanh(0), though each reads the other one: both are
// zero at every step. Their other gates do not matter.
// CHECK-LABEL: func.func @zero
// CHECK:         %[[W:.+]] = arith.constant dense<{{\[}}[1.0{{.*}}], [2.0{{.*}}]]> : tensor<2x1xf32>
// CHECK:         "sparse_pattern.linear"(%{{.+}}, %[[W]])
// CHECK:         tensor.expand_shape {{.+}} output_shape [2, 1, 2]
// CHECK:         %[[STATES:.+]] = arith.constant dense<0.0{{.*}}> : tensor<1x1x1xf32>
// CHECK:         %[[R:.+]] = arith.constant dense<{{\[}}[5.0{{.*}}], [6.0{{.*}}]]> : tensor<2x1xf32>
// CHECK:         "sparse_pattern.recurrent"(%{{.+}}, %[[R]], %[[STATES]])
// CHECK:           : (tensor<2x1x2xf32>, tensor<2x1xf32>, tensor<1x1x1xf32>) -> (tensor<2x1x1xf32>, tensor<1x1x1xf32>)
func.func @zero(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0], [3.0], [3.0], [2.0], [0.0], [0.0]]> : tensor<6x1xf32>
  %r = arith.constant dense<[[5.0, 7.0, 7.0], [8.0, 0.0, 0.0], [8.0, 0.0, 0.0],
                             [6.0, 7.0, 0.0], [0.0, 0.0, 9.0], [0.0, 9.0, 0.0]]> : tensor<6x3xf32>
  %begin = arith.constant dense<0.0> : tensor<1x1x3xf32>
  %v = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  // expected-remark @+1 {{trimmed: 6 -> 2 filters}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x1xf32>, tensor<6x1xf32>) -> tensor<2x6xf32>
  %inputs = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 1, 6] : tensor<2x6xf32> into tensor<2x1x6xf32>
  // expected-remark @+1 {{trimmed: 3 -> 1 units}}
  %h, %last = "sparse_pattern.recurrent"(%inputs, %r, %begin) ({
  ^bb0(%p0: f32, %p1: f32, %i0: f32, %i1: f32, %state: f32):
    %z = arith.addf %p0, %i0 : f32
    %1 = arith.addf %p1, %i1 : f32
    %n = math.tanh %1 : f32
    %old = arith.mulf %z, %state : f32
    %next = arith.addf %old, %n : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x1x6xf32>, tensor<6x3xf32>, tensor<1x1x3xf32>) -> (tensor<2x1x3xf32>, tensor<1x1x3xf32>)
  %rows = tensor.collapse_shape %h [[0, 1], [2]] : tensor<2x1x3xf32> into tensor<2x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 1 inputs}}
  %y = "sparse_pattern.linear"(%rows, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Nothing reads units 1 and 2 but unit 2. Numbers per unit go with them.
// CHECK-LABEL: func.func @unread
// CHECK:         tensor.expand_shape
// CHECK:         arith.constant dense<2.0{{.*}}> : tensor<1x1x1xf32>
// CHECK:         arith.constant dense<7.0{{.*}}> : tensor<1x1xf32>
// CHECK:         arith.constant dense<1.0{{.*}}> : tensor<1x1xf32>
// CHECK:         : (tensor<2x1x1xf32>, tensor<1x1xf32>, tensor<1x1x1xf32>, tensor<1x1xf32>)
func.func @unread(%x: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %r = arith.constant dense<[[1.0, 0.0, 0.0], [4.0, 0.0, 5.0], [6.0, 0.0, 7.0]]> : tensor<3x3xf32>
  %begin = arith.constant dense<[[[2.0, 3.0, 4.0]]]> : tensor<1x1x3xf32>
  %numbers = arith.constant dense<[[7.0, 8.0, 9.0]]> : tensor<1x3xf32>
  %v = arith.constant dense<[[1.0, 0.0, 0.0]]> : tensor<1x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 1 filters}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x1xf32>, tensor<3x1xf32>) -> tensor<2x3xf32>
  %inputs = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 1, 3] : tensor<2x3xf32> into tensor<2x1x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 1 units}}
  %h, %last = "sparse_pattern.recurrent"(%inputs, %r, %begin, %numbers) ({
  ^bb0(%p: f32, %i: f32, %number: f32, %state: f32):
    %0 = arith.addf %p, %i : f32
    %next = arith.mulf %0, %number : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>}
    : (tensor<2x1x3xf32>, tensor<3x3xf32>, tensor<1x1x3xf32>, tensor<1x3xf32>)
   -> (tensor<2x1x3xf32>, tensor<1x1x3xf32>)
  %rows = tensor.collapse_shape %h [[0, 1], [2]] : tensor<2x1x3xf32> into tensor<2x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 1 inputs}}
  %y = "sparse_pattern.linear"(%rows, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// States that are the network's keep their shape, and so does the layer. Its product has nothing for unit 1, which is
// zero at every step where it begins at zero.
// CHECK-LABEL: func.func @states
// CHECK:         : (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1x1x2xf32>)
// CHECK:         dense<{{\[}}[1.0{{.*}}, 0.0{{.*}}], [0.0{{.*}}, 0.0{{.*}}]]> : tensor<2x2xf32>
// CHECK:         : (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1x1x2xf32>)
func.func @states(%x: tensor<2x1xf32>, %given: tensor<1x1x2xf32>) -> (tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
  %w = arith.constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %r = arith.constant dense<[[1.0, 5.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %none = arith.constant dense<0.0> : tensor<1x1x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: the network's input has them}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %inputs = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 1, 2] : tensor<2x2xf32> into tensor<2x1x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 units that are zero: the network's input has them}}
  %h, %last = "sparse_pattern.recurrent"(%inputs, %r, %given) ({
  ^bb0(%p: f32, %i: f32, %state: f32):
    %next = arith.addf %p, %i : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1x1x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x1x2xf32>)
  // expected-remark @+1 {{keeps 1 of 2 units that are zero: the network returns them}}
  %g, %end = "sparse_pattern.recurrent"(%inputs, %r, %none) ({
  ^bb0(%p: f32, %i: f32, %state: f32):
    %next = arith.addf %p, %i : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = true, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x1x2xf32>, tensor<2x2xf32>, tensor<1x1x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x1x2xf32>)
  return %last, %end : tensor<1x1x2xf32>, tensor<1x1x2xf32>
}

// -----

// A bias moves a state on from zero, to a constant, which the next layer adds to its bias; not with lengths, since beyond
// them there are zeros.
// CHECK-LABEL: func.func @constants
// CHECK:         "sparse_pattern.recurrent"
// CHECK:         : (tensor<1x2x1xf32>, tensor<1x1xf32>, tensor<1x2x1xf32>)
// CHECK:         "sparse_pattern.recurrent"
// CHECK:         : (tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<1x2x2xf32>, tensor<2xi32>)
// CHECK:         %[[BIAS:.+]] = arith.constant dense<1.1{{.*}}e+01> : tensor<1xf32>
// CHECK:         "sparse_pattern.linear"(%{{.+}}, %{{.+}}, %[[BIAS]])
func.func @constants(%x: tensor<1x2x2xf32>, %lengths: tensor<2xi32>) -> (tensor<2x1xf32>, tensor<2x1xf32>) {
  %r = arith.constant dense<[[1.0, 0.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %none = arith.constant dense<0.0> : tensor<1x2x2xf32>
  %w = arith.constant dense<[[1.0, 1.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[0.0, 2.0]> : tensor<2xf32>
  %v = arith.constant dense<[[3.0, 5.0]]> : tensor<1x2xf32>
  %c = arith.constant dense<[1.0]> : tensor<1xf32>
  %sequences = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x2x2xf32> into tensor<2x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: other layers read them}}
  %a = "sparse_pattern.linear"(%sequences, %w, %b) ({
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a2 = "sparse_pattern.linear"(%sequences, %w, %b) ({
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %i = tensor.expand_shape %a [[0, 1], [2]] output_shape [1, 2, 2] : tensor<2x2xf32> into tensor<1x2x2xf32>
  %i2 = tensor.expand_shape %a2 [[0, 1], [2]] output_shape [1, 2, 2] : tensor<2x2xf32> into tensor<1x2x2xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 units}}
  %h, %last = "sparse_pattern.recurrent"(%i2, %r, %none) ({
  ^bb0(%p: f32, %in: f32, %state: f32):
    %next = arith.addf %p, %in : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>)
  %g, %end = "sparse_pattern.recurrent"(%i, %r, %none, %lengths) ({
  ^bb0(%p: f32, %in: f32, %state: f32):
    %next = arith.addf %p, %in : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<1x2x2xf32>, tensor<2xi32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>)
  %h2 = tensor.collapse_shape %h [[0, 1], [2]] : tensor<1x2x2xf32> into tensor<2x2xf32>
  %g2 = tensor.collapse_shape %g [[0, 1], [2]] : tensor<1x2x2xf32> into tensor<2x2xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 inputs}}
  %y = "sparse_pattern.linear"(%h2, %v, %c) ({
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  %z = "sparse_pattern.linear"(%g2, %v, %c) ({
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  return %y, %z : tensor<2x1xf32>, tensor<2x1xf32>
}

// Filters that keep their order, with remarks that say why.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-reorder-kernels)'
// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-reorder-kernels)' | FileCheck %s

// Nobody is left to put the filters back into the order in which the network returns them.
// CHECK-LABEL: func.func @outputs
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00, 2.
func.func @outputs(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %w0 = arith.constant dense<[[1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 2.0, 6.0], [3.0, 7.0, 0.0, 0.0], [0.0, 0.0, 4.0, 8.0]]> : tensor<4x4xf32>
  // expected-remark @+1 {{filters keep their order, since the network returns them; sorted they would take 61.1 % of a dense layer's time as block_punched(2x2) instead of 97.2 % as n_m(2:4)}}
  %y = "sparse_pattern.linear"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// A slice means other channels once they are reordered.
// CHECK-LABEL: func.func @unknown_reader
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00, 2.
func.func @unknown_reader(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 2.0, 6.0], [3.0, 7.0, 0.0, 0.0], [0.0, 0.0, 4.0, 8.0]]> : tensor<4x4xf32>
  %w1 = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  // expected-remark @+1 {{filters keep their order, since tensor.extract_slice reads them; sorted they would take 61.1 % of a dense layer's time as block_punched(2x2) instead of 97.2 % as n_m(2:4)}}
  %y = "sparse_pattern.linear"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %s = tensor.extract_slice %y[0, 1] [1, 2] [1, 1] : tensor<1x4xf32> to tensor<1x2xf32>
  %z = "sparse_pattern.linear"(%s, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// -----

// What is added has an order that the caller gave it.
// CHECK-LABEL: func.func @input_added
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00, 2.
func.func @input_added(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 2.0, 6.0], [3.0, 7.0, 0.0, 0.0], [0.0, 0.0, 4.0, 8.0]]> : tensor<4x4xf32>
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{filters keep their order, since the network's input has them; sorted they would take 61.1 % of a dense layer's time as block_punched(2x1) instead of 97.2 % as n_m(2:4)}}
  %y = "sparse_pattern.linear"(%x, %w0, %x) ({
  ^bb0(%acc: f32, %r: f32):
    %0 = arith.addf %acc, %r : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<1x4xf32>, tensor<4x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %z = "sparse_pattern.linear"(%y, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// -----

// Two orders of one layer would be two copies of its weights.
// CHECK-LABEL: func.func @shared_weights
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00, 2.
func.func @shared_weights(%x: tensor<1x4xf32>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %w0 = arith.constant dense<[[1.0, 5.0, 0.0, 0.0], [0.0, 0.0, 2.0, 6.0], [3.0, 7.0, 0.0, 0.0], [0.0, 0.0, 4.0, 8.0]]> : tensor<4x4xf32>
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{filters keep their order, since it shares its weights with another layer; sorted they would take 61.1 % of a dense layer's time as block_punched(2x2) instead of 97.2 % as n_m(2:4)}}
  %a = "sparse_pattern.linear"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  // expected-remark @+1 {{filters keep their order, since it shares its weights with another layer; sorted they would take 61.1 % of a dense layer's time as block_punched(2x2) instead of 97.2 % as n_m(2:4)}}
  %b = "sparse_pattern.linear"(%a, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %z = "sparse_pattern.linear"(%a, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  %u = "sparse_pattern.linear"(%b, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  return %z, %u : tensor<1x1xf32>, tensor<1x1xf32>
}

// -----

// Filters with nothing in common, in any order.
// CHECK-LABEL: func.func @nothing_in_common
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00], [0.000000e+00, 2.
func.func @nothing_in_common(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 4.0]]> : tensor<4x4xf32>
  %w1 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{filters keep their order: another order would save less than 3 %}}
  %y = "sparse_pattern.linear"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %z = "sparse_pattern.linear"(%y, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// -----

// No weight is zero: there is nothing to say.
// CHECK-LABEL: func.func @dense
// CHECK:         arith.constant dense<{{\[\[}}1.000000e+00, 2.
func.func @dense(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w0 = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w1 = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = "sparse_pattern.linear"(%x, %w0) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %z = "sparse_pattern.linear"(%y, %w1) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %z : tensor<1x1xf32>
}

// Filters that stay although they are zero, or nothing reads them, with remarks that say why.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-trim-channels)'
// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-trim-channels)' | FileCheck %s

// Results of the network keep their shapes.
// CHECK-LABEL: func.func @returned
// CHECK:         -> tensor<2x2xf32>
func.func @returned(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: the network returns them}}
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// A sum with an input of the network.
// CHECK-LABEL: func.func @with_input
// CHECK:         -> tensor<2x2xf32>
// CHECK:         -> tensor<2x1xf32>
func.func @with_input(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[0.0, 2.0]]> : tensor<1x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: the network's input has them}}
  %a = "sparse_pattern.linear"(%x, %w, %x) ({
  ^bb0(%acc: f32, %r: f32):
    %0 = arith.addf %acc, %r : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Ops that mix channels read all of them, and make all of them.
// CHECK-LABEL: func.func @mixed
// CHECK-COUNT-2: -> tensor<2x2xf32>
func.func @mixed(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[0.0, 2.0]]> : tensor<1x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: linalg.matmul reads them}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %m = linalg.matmul ins(%a, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: linalg.matmul computes them}}
  %b = "sparse_pattern.linear"(%x, %w, %m) ({
  ^bb0(%acc: f32, %r: f32):
    %0 = arith.addf %acc, %r : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%b, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// One group keeps two channels, so the other does, too.
// CHECK-LABEL: func.func @equal_groups
// CHECK:         groups = 2
// CHECK:         (tensor<1x4x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
func.func @equal_groups(%x: tensor<1x1x4xf32>) -> tensor<1x2x4xf32> {
  %w = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %v = arith.constant dense<[[[1.0], [2.0]], [[3.0], [0.0]]]> : tensor<2x2x1xf32>
  // expected-remark @+1 {{keeps 1 of 4 filters that nothing reads: groups of a convolution stay equal}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4xf32>, tensor<4x1x1xf32>) -> tensor<1x4x4xf32>
  %y = "sparse_pattern.conv"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 2,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// -----

// A layer whose weights are all zero still reads something.
// CHECK-LABEL: func.func @all_zero
// CHECK:         (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>
func.func @all_zero(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<0.0> : tensor<1x2xf32>
  // expected-remark @+2 {{trimmed: 2 -> 1 filters}}
  // expected-remark @+1 {{keeps 1 of 2 filters that nothing reads: no tensor becomes empty}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+2 {{trimmed: 2 -> 1 inputs}}
  // expected-remark @+1 {{keeps 1 of 1 filters that are zero: the network returns them}}
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Weights that are computed may be anything.
// CHECK-LABEL: func.func @computed_weights
// CHECK:         -> tensor<2x2xf32>
func.func @computed_weights(%x: tensor<2x2xf32>, %v: tensor<1x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: sparse_pattern.linear reads them}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// What computes with a channel's number needs all of them, and so does what reads them in another order.
// CHECK-LABEL: func.func @numbered
// CHECK-COUNT-2: -> tensor<2x2xf32>
#map = affine_map<(n, c) -> (n, c)>
#swapped = affine_map<(n, c) -> (c, n)>
func.func @numbered(%x: tensor<2x2xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>) {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[0.0, 2.0]]> : tensor<1x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: linalg.generic reads them}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{keeps 1 of 2 filters that are zero: linalg.generic reads them}}
  %b = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %c = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%a : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%v0: f32, %out: f32):
    %i = linalg.index 1 : index
    %n = arith.index_cast %i : index to i32
    %f = arith.sitofp %n : i32 to f32
    %0 = arith.mulf %v0, %f : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %d = linalg.generic {indexing_maps = [#map, #swapped, #map], iterator_types = ["parallel", "parallel"]}
    ins(%b, %b : tensor<2x2xf32>, tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%v0: f32, %v1: f32, %out: f32):
    %0 = arith.addf %v0, %v1 : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%c, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  %z = "sparse_pattern.linear"(%d, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y, %z : tensor<2x1xf32>, tensor<2x1xf32>
}

// -----

// With several blocks, a tensor's readers may stand before what makes it.
// CHECK-LABEL: func.func @blocks
// CHECK:         (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
func.func @blocks(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %v = arith.constant dense<[[0.0, 2.0]]> : tensor<1x2xf32>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  cf.br ^end
^end:
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Kernels compute in f32: layers of other types go to IREE.
// CHECK-LABEL: func.func @half
// CHECK:         (tensor<2x2xf16>, tensor<1x2xf16>) -> tensor<2x1xf16>
func.func @half(%x: tensor<2x2xf16>) -> tensor<2x1xf16> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf16>
  %v = arith.constant dense<[[0.0, 2.0]]> : tensor<1x2xf16>
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f16):
    "sparse_pattern.yield"(%acc) : (f16) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf16>, tensor<2x2xf16>) -> tensor<2x2xf16>
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f16):
    "sparse_pattern.yield"(%acc) : (f16) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf16>, tensor<1x2xf16>) -> tensor<2x1xf16>
  return %y : tensor<2x1xf16>
}

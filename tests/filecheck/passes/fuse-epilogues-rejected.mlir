// Tails that stay behind their layer.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-fuse-epilogues)' | FileCheck %s

// Somebody else reads the layer's result as it is.
// CHECK-LABEL: func.func @two_readers
// CHECK:         linalg.generic
#map = affine_map<(n, f) -> (n, f)>
func.func @two_readers(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %exp = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %y, %exp : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// It reads the layer's result transposed, or reduces it: another position's value is not at hand.
// CHECK-LABEL: func.func @other_positions
// CHECK-COUNT-2: linalg.generic
#map = affine_map<(n, f) -> (n, f)>
#swapped = affine_map<(n, f) -> (f, n)>
#filter = affine_map<(n, f) -> (f)>
func.func @other_positions(%x: tensor<4x3xf32>, %w: tensor<4x3xf32>) -> (tensor<4x4xf32>, tensor<4xf32>) {
  %empty = tensor.empty() : tensor<4x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x4xf32>
  %symmetric = linalg.generic {indexing_maps = [#map, #swapped, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%empty : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<4x4xf32>
  %z = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x4xf32>
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#map, #filter], iterator_types = ["reduction", "parallel"]}
    ins(%z : tensor<4x4xf32>) outs(%zero : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %symmetric, %sum : tensor<4x4xf32>, tensor<4xf32>
}

// -----

// A value that is neither per filter nor per position: one for each image.
// CHECK-LABEL: func.func @per_image
// CHECK:         linalg.generic
#map = affine_map<(n, f) -> (n, f)>
#image = affine_map<(n, f) -> (n)>
func.func @per_image(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %scale: tensor<2xf32>) -> tensor<2x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %scaled = linalg.generic {indexing_maps = [#map, #image, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y, %scale : tensor<2x4xf32>, tensor<2xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %scaled : tensor<2x4xf32>
}

// -----

// Values in another order, and booleans from elsewhere.
// CHECK-LABEL: func.func @other_operands
// CHECK-COUNT-2: linalg.generic
#map = affine_map<(n, f) -> (n, f)>
#reversed = affine_map<(n, f) -> (3 - f)>
func.func @other_operands(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %scale: tensor<4xf32>, %mask: tensor<2x4xi1>)
    -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %empty = tensor.empty() : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %scaled = linalg.generic {indexing_maps = [#map, #reversed, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y, %scale : tensor<2x4xf32>, tensor<4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %z = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %masked = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%z, %mask : tensor<2x4xf32>, tensor<2x4xi1>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %m: i1, %out: f32):
    %0 = math.absf %a : f32
    %1 = arith.select %m, %a, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  return %scaled, %masked : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// A scalar that is computed, or an argument: a kernel has no operands for scalars.
// CHECK-LABEL: func.func @captured_scalar
// CHECK-COUNT-2: linalg.generic
#map = affine_map<(n, f) -> (n, f)>
func.func @captured_scalar(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %s: f32) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %scaled = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %z = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %square = arith.mulf %s, %s : f32
  %replaced = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%z : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %square : f32
  } -> tensor<2x4xf32>
  return %scaled, %replaced : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// Other element types, inside the tail or as its result, and code that is not arithmetic on one position.
// CHECK-LABEL: func.func @other_code
// CHECK-COUNT-3: linalg.generic
#map = affine_map<(n, f) -> (n, f)>
func.func @other_code(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) -> (tensor<2x4xf16>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %empty = tensor.empty() : tensor<2x4xf32>
  %y0 = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %half_empty = tensor.empty() : tensor<2x4xf16>
  %half = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y0 : tensor<2x4xf32>) outs(%half_empty : tensor<2x4xf16>) {
  ^bb0(%a: f32, %out: f16):
    %0 = arith.truncf %a : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<2x4xf16>
  %y1 = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %rounded = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y1 : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.fptosi %a : f32 to i32
    %1 = arith.sitofp %0 : i32 to f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  %y2 = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %indexed = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y2 : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %0 = arith.index_cast %i : index to i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.mulf %a, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x4xf32>
  return %half, %rounded, %indexed : tensor<2x4xf16>, tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// A tail that reads what it overwrites accumulates onto another tensor.
// CHECK-LABEL: func.func @accumulates
// CHECK:         linalg.generic
#map = affine_map<(n, f) -> (n, f)>
func.func @accumulates(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %total: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<2x4xf32>) outs(%total : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %sum : tensor<2x4xf32>
}

// -----

// A tail with a result of another shape, or with two results.
// CHECK-LABEL: func.func @other_results
// CHECK-COUNT-2: linalg.generic
#map = affine_map<(n, f) -> (n, f)>
#wide = affine_map<(m, n, f) -> (m, n, f)>
#narrow = affine_map<(m, n, f) -> (n, f)>
func.func @other_results(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %y0 = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %wide_empty = tensor.empty() : tensor<5x2x4xf32>
  %repeated = linalg.generic {indexing_maps = [#narrow, #wide], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%y0 : tensor<2x4xf32>) outs(%wide_empty : tensor<5x2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<5x2x4xf32>
  %y1 = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %both:2 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y1 : tensor<2x4xf32>) outs(%empty, %empty : tensor<2x4xf32>, tensor<2x4xf32>) {
  ^bb0(%a: f32, %out0: f32, %out1: f32):
    %0 = math.exp %a : f32
    %1 = math.tanh %a : f32
    linalg.yield %0, %1 : f32, f32
  } -> (tensor<2x4xf32>, tensor<2x4xf32>)
  return %repeated, %both#0, %both#1 : tensor<5x2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// In a loop the layer would run again in each round.
// CHECK-LABEL: func.func @in_a_loop
// CHECK:         sparse_pattern.linear
// CHECK:         scf.for
// CHECK:           linalg.generic
#map = affine_map<(n, f) -> (n, f)>
func.func @in_a_loop(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %n: index) -> tensor<2x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %empty = tensor.empty() : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %last = scf.for %i = %zero to %n step %one iter_args(%state = %empty) -> tensor<2x4xf32> {
    %sum = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%y, %state : tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
    ^bb0(%a: f32, %s: f32, %out: f32):
      %0 = arith.addf %a, %s : f32
      linalg.yield %0 : f32
    } -> tensor<2x4xf32>
    scf.yield %sum : tensor<2x4xf32>
  }
  return %last : tensor<2x4xf32>
}

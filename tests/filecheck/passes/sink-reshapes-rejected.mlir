// Elementwise ops that stay below a reshape.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-sink-reshapes)' | FileCheck %s

// One value for each token of all images, or one row for each image: on rows there is no such map.
// CHECK-LABEL: func.func @broadcast_tokens
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
#tokens = affine_map<(b, t, f) -> (t, f)>
func.func @broadcast_tokens(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<3x4xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #tokens, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %r : tensor<2x3x4xf32>, tensor<3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// One value for each row.
// CHECK-LABEL: func.func @value_per_row
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
#row = affine_map<(b, t, f) -> (b, t, 0)>
func.func @value_per_row(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<2x3x1xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #row, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %r : tensor<2x3x4xf32>, tensor<2x3x1xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// It reads another operand at other positions.
// CHECK-LABEL: func.func @other_positions
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
#swapped = affine_map<(b, t, f) -> (t, b, f)>
func.func @other_positions(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<3x2x4xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #swapped, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %r : tensor<2x3x4xf32>, tensor<3x2x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// It adds to what is there.
// CHECK-LABEL: func.func @accumulates
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
func.func @accumulates(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<2x3x4xf32>) outs(%r : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// It computes with its position.
// CHECK-LABEL: func.func @indices
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
func.func @indices(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %0 = arith.mulf %a, %k : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// Somebody else reads the layer's result as it is, so that nothing could be fused into the layer.
// CHECK-LABEL: func.func @two_readers
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK-NOT:     tensor.expand_shape
// CHECK:         return
#same = affine_map<(b, t, f) -> (b, t, f)>
func.func @two_readers(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>) {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.absf %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %t, %z : tensor<2x3x4xf32>, tensor<2x3x4xf32>
}

// -----

// Filters became two dimensions, and the values of one of them are those of every fourth filter.
// CHECK-LABEL: func.func @split_filters
// CHECK:         tensor.expand_shape
// CHECK:         linalg.generic
// CHECK:         return
#same = affine_map<(n, h, f) -> (n, h, f)>
#head = affine_map<(n, h, f) -> (f)>
func.func @split_filters(%x: tensor<6x4xf32>, %w: tensor<8x4xf32>, %r: tensor<4xf32>) -> tensor<6x2x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<8x4xf32>) -> tensor<6x8xf32>
  %t = tensor.expand_shape %y [[0], [1, 2]] output_shape [6, 2, 4] : tensor<6x8xf32> into tensor<6x2x4xf32>
  %empty = tensor.empty() : tensor<6x2x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #head, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %r : tensor<6x2x4xf32>, tensor<4xf32>) outs(%empty : tensor<6x2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<6x2x4xf32>
  return %z : tensor<6x2x4xf32>
}

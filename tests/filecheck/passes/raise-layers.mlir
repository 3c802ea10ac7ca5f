// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' | FileCheck %s

// Zero padding before a convolution and a bias under it become part of it.
// CHECK-LABEL: func.func @conv
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x9x9xf32>)
// CHECK-DAG:     %[[W:.+]] = arith.constant {{.*}} : tensor<4x3x3x3xf32>
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant {{.*}} : tensor<4xf32>
// CHECK-NOT:     tensor.pad
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %[[W]], %[[BIAS]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[SUM]])
// CHECK-NEXT:    }) {dilations = array<i64: 1, 2>, groups = 1 : i64,
// CHECK-SAME:        operandSegmentSizes = array<i32: 1, 1, 1, 0>, padding = array<i64: 1, 2, 1, 3>,
// CHECK-SAME:        scheme = #sparse_pattern.dense, strides = array<i64: 2, 1>}
// CHECK-NEXT:    return %[[Y]]
func.func @conv(%x: tensor<1x3x9x9xf32>) -> tensor<1x4x5x10xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<4x3x3x3xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %padded = tensor.pad %x low[0, 0, 1, 2] high[0, 0, 1, 3] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x9x9xf32> to tensor<1x3x11x14xf32>
  %empty = tensor.empty() : tensor<1x4x5x10xf32>
  %start = linalg.broadcast ins(%bias : tensor<4xf32>) outs(%empty : tensor<1x4x5x10xf32>) dimensions = [0, 2, 3]
  %y = linalg.conv_2d_nchw_fchw {strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<[1, 2]> : tensor<2xi64>}
    ins(%padded, %w : tensor<1x3x11x14xf32>, tensor<4x3x3x3xf32>)
    outs(%start : tensor<1x4x5x10xf32>) -> tensor<1x4x5x10xf32>
  return %y : tensor<1x4x5x10xf32>
}

// A layer keeps its name: it is the op's location, and prints as the result's.
// CHECK-LABEL: func.func @named
// CHECK:         %layer1.0.conv1 = "sparse_pattern.conv"
func.func @named(%x: tensor<1x3x8xf32>) -> tensor<1x4x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x4x6xf32>
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x8xf32>, tensor<4x3x3xf32>)
    outs(%zero : tensor<1x4x6xf32>) -> tensor<1x4x6xf32> loc("layer1.0.conv1")
  return %y : tensor<1x4x6xf32>
}

// One and three spatial dimensions; nothing to start from is no operand.
// CHECK-LABEL: func.func @dimensions
// CHECK:         "sparse_pattern.conv"
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 0, 0>
// CHECK-SAME:      strides = array<i64: 3>
// CHECK:         "sparse_pattern.conv"
// CHECK:           strides = array<i64: 1, 1, 1>
func.func @dimensions(%a: tensor<1x3x8xf32>, %b: tensor<1x3x4x5x6xf32>) -> (tensor<1x4x2xf32>, tensor<1x4x4x3x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<0.5> : tensor<4x3x3xf32>
  %empty1 = tensor.empty() : tensor<1x4x2xf32>
  %start1 = linalg.fill ins(%zero : f32) outs(%empty1 : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %y1 = linalg.conv_1d_ncw_fcw {strides = dense<3> : vector<1xi64>}
    ins(%a, %w1 : tensor<1x3x8xf32>, tensor<4x3x3xf32>) outs(%start1 : tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %w3 = arith.constant dense<0.5> : tensor<4x3x1x3x3xf32>
  %empty3 = tensor.empty() : tensor<1x4x4x3x4xf32>
  %start3 = linalg.fill ins(%zero : f32) outs(%empty3 : tensor<1x4x4x3x4xf32>) -> tensor<1x4x4x3x4xf32>
  %y3 = linalg.conv_3d_ncdhw_fcdhw ins(%b, %w3 : tensor<1x3x4x5x6xf32>, tensor<4x3x1x3x3xf32>)
    outs(%start3 : tensor<1x4x4x3x4xf32>) -> tensor<1x4x4x3x4xf32>
  return %y1, %y3 : tensor<1x4x2xf32>, tensor<1x4x4x3x4xf32>
}

// A convolution that starts from a tensor adds it, position by position.
// CHECK-LABEL: func.func @onto_tensor
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x8xf32>, %[[START:.+]]: tensor<1x4x6xf32>)
// CHECK:         "sparse_pattern.conv"(%[[X]], %{{.+}}, %[[START]]) ({
// CHECK:           arith.addf
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 0, 1>
func.func @onto_tensor(%x: tensor<1x3x8xf32>, %start: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x8xf32>, tensor<4x3x3xf32>)
    outs(%start : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// Depthwise weights have no dimension for the one channel of a group; they get it.
// CHECK-LABEL: func.func @depthwise
// CHECK:         %[[W:.+]] = arith.constant {{.*}} : tensor<2x1x3xf32>
// CHECK:         "sparse_pattern.conv"(%{{.+}}, %[[W]])
// CHECK:           groups = 2 : i64
func.func @depthwise(%x: tensor<1x2x8xf32>) -> tensor<1x2x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2x6xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = linalg.depthwise_conv_1d_ncw_cw ins(%x, %w : tensor<1x2x8xf32>, tensor<2x3xf32>)
    outs(%zero : tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
  return %y : tensor<1x2x6xf32>
}

// CHECK-LABEL: func.func @depthwise_of_one_channel
// CHECK:         %[[W:.+]] = arith.constant {{.*}} : tensor<1x1x3x3xf32>
// CHECK:         "sparse_pattern.conv"(%{{.+}}, %[[W]])
// CHECK:           groups = 1 : i64
func.func @depthwise_of_one_channel(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x6x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x1x6x6xf32>
  %w = arith.constant dense<0.5> : tensor<1x3x3xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw ins(%x, %w : tensor<1x1x8x8xf32>, tensor<1x3x3xf32>)
    outs(%zero : tensor<1x1x6x6xf32>) -> tensor<1x1x6x6xf32>
  return %y : tensor<1x1x6x6xf32>
}

// A grouped convolution works on split channels; its bias is split too. Nothing of that is left.
// CHECK-LABEL: func.func @grouped
// CHECK-SAME:    (%[[X:.+]]: tensor<1x4x8x8xf32>)
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant {{.*}} : tensor<6xf32>
// CHECK-DAG:     %[[W:.+]] = arith.constant {{.*}} : tensor<6x2x3x3xf32>
// CHECK-NOT:     shape
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %[[W]], %[[BIAS]])
// CHECK:           groups = 2 : i64
// CHECK-SAME:      padding = array<i64: 1, 1, 1, 1>
// CHECK-NEXT:    return %[[Y]]
func.func @grouped(%x: tensor<1x4x8x8xf32>) -> tensor<1x6x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<2x3x2x3x3xf32>
  %bias = arith.constant dense<1.0> : tensor<6xf32>
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x8x8xf32> to tensor<1x4x10x10xf32>
  %empty = tensor.empty() : tensor<1x6x8x8xf32>
  %broadcast = linalg.broadcast ins(%bias : tensor<6xf32>) outs(%empty : tensor<1x6x8x8xf32>) dimensions = [0, 2, 3]
  %split = tensor.expand_shape %padded [[0], [1, 2], [3], [4]] output_shape [1, 2, 2, 10, 10]
    : tensor<1x4x10x10xf32> into tensor<1x2x2x10x10xf32>
  %start = tensor.expand_shape %broadcast [[0], [1, 2], [3], [4]] output_shape [1, 2, 3, 8, 8]
    : tensor<1x6x8x8xf32> into tensor<1x2x3x8x8xf32>
  %y = linalg.conv_2d_ngchw_gfchw ins(%split, %w : tensor<1x2x2x10x10xf32>, tensor<2x3x2x3x3xf32>)
    outs(%start : tensor<1x2x3x8x8xf32>) -> tensor<1x2x3x8x8xf32>
  %joined = tensor.collapse_shape %y [[0], [1, 2], [3], [4]] : tensor<1x2x3x8x8xf32> into tensor<1x6x8x8xf32>
  return %joined : tensor<1x6x8x8xf32>
}

// linalg has no named grouped convolution of one dimension: it comes as a generic.
#input = affine_map<(n, g, f, o, c, t) -> (n, g, c, o * 2 + t * 3)>
#weight = affine_map<(n, g, f, o, c, t) -> (g, f, c, t)>
#output = affine_map<(n, g, f, o, c, t) -> (n, g, f, o)>
// CHECK-LABEL: func.func @grouped_generic
// CHECK:         "sparse_pattern.conv"
// CHECK:           dilations = array<i64: 3>, groups = 2 : i64,
// CHECK-SAME:      strides = array<i64: 2>
func.func @grouped_generic(%x: tensor<1x4x9xf32>) -> tensor<1x6x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2x3x2xf32>
  %w = arith.constant dense<0.5> : tensor<2x3x2x3xf32>
  %split = tensor.expand_shape %x [[0], [1, 2], [3]] output_shape [1, 2, 2, 9]
    : tensor<1x4x9xf32> into tensor<1x2x2x9xf32>
  %y = linalg.generic {indexing_maps = [#input, #weight, #output],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%split, %w : tensor<1x2x2x9xf32>, tensor<2x3x2x3xf32>) outs(%zero : tensor<1x2x3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %product = arith.mulf %b, %a : f32
    %sum = arith.addf %acc, %product : f32
    linalg.yield %sum : f32
  } -> tensor<1x2x3x2xf32>
  %joined = tensor.collapse_shape %y [[0], [1, 2], [3]] : tensor<1x2x3x2xf32> into tensor<1x6x2xf32>
  return %joined : tensor<1x6x2xf32>
}

// torch-mlir computes grouped convolutions of one dimension in two, with a width of 1: they become what they were, with
// padding and without.
// CHECK-LABEL: func.func @grouped_line
// CHECK-SAME:    (%[[X:.+]]: tensor<1x4x9xf32>)
// CHECK-NOT:     shape
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %{{.+}})
// CHECK:           groups = 2 : i64
// CHECK-SAME:      padding = array<i64: 1, 2>
// CHECK-SAME:      strides = array<i64: 2>
// CHECK:           : (tensor<1x4x9xf32>, tensor<6x2x3xf32>) -> tensor<1x6x5xf32>
// CHECK-NOT:     shape
// CHECK:         "sparse_pattern.conv"(%[[Y]], %{{.+}})
// CHECK:           padding = array<i64: 0, 0>
// CHECK:           : (tensor<1x6x5xf32>, tensor<4x3x1xf32>) -> tensor<1x4x5xf32>
func.func @grouped_line(%x: tensor<1x4x9xf32>) -> tensor<1x4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<2x3x2x3x1xf32>
  %start = arith.constant dense<0.0> : tensor<1x2x3x5x1xf32>
  %wide = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 4, 9, 1] : tensor<1x4x9xf32> into tensor<1x4x9x1xf32>
  %padded = tensor.pad %wide low[0, 0, 1, 0] high[0, 0, 2, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x9x1xf32> to tensor<1x4x12x1xf32>
  %split = tensor.expand_shape %padded [[0], [1, 2], [3], [4]] output_shape [1, 2, 2, 12, 1]
    : tensor<1x4x12x1xf32> into tensor<1x2x2x12x1xf32>
  %conv = linalg.conv_2d_ngchw_gfchw {strides = dense<[2, 1]> : vector<2xi64>}
    ins(%split, %w : tensor<1x2x2x12x1xf32>, tensor<2x3x2x3x1xf32>) outs(%start : tensor<1x2x3x5x1xf32>) -> tensor<1x2x3x5x1xf32>
  %y = tensor.collapse_shape %conv [[0], [1, 2], [3, 4]] : tensor<1x2x3x5x1xf32> into tensor<1x6x5xf32>
  %v = arith.constant dense<0.5> : tensor<2x2x3x1x1xf32>
  %next_start = arith.constant dense<0.0> : tensor<1x2x2x5x1xf32>
  %next = tensor.expand_shape %y [[0], [1, 2], [3, 4]] output_shape [1, 2, 3, 5, 1] : tensor<1x6x5xf32> into tensor<1x2x3x5x1xf32>
  %next_conv = linalg.conv_2d_ngchw_gfchw ins(%next, %v : tensor<1x2x3x5x1xf32>, tensor<2x2x3x1x1xf32>)
    outs(%next_start : tensor<1x2x2x5x1xf32>) -> tensor<1x2x2x5x1xf32>
  %z = tensor.collapse_shape %next_conv [[0], [1, 2], [3, 4]] : tensor<1x2x2x5x1xf32> into tensor<1x4x5xf32>
  return %z : tensor<1x4x5xf32>
}

// Reshapes keep the order of elements. Where none gives the channels in one dimension, one is made: groups that come
// split, that stay split, that are joined with the rows, and a start of the result's shape.
// CHECK-LABEL: func.func @groups_reshaped
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x2x8x8xf32>, %[[START:.+]]: tensor<1x2x3x6x6xf32>)
// CHECK-DAG:     %[[X1:.+]] = tensor.collapse_shape %[[X]] {{.}}[0], [1, 2], [3], [4]] : tensor<1x2x2x8x8xf32> into tensor<1x4x8x8xf32>
// CHECK-DAG:     %[[START1:.+]] = tensor.collapse_shape %[[START]] {{.}}[0], [1, 2], [3], [4]] : tensor<1x2x3x6x6xf32> into tensor<1x6x6x6xf32>
// CHECK:         %[[Y1:.+]] = "sparse_pattern.conv"(%[[X1]], %{{.+}}, %[[START1]])
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 0, 1>
// CHECK:         %[[Y:.+]] = tensor.expand_shape %[[Y1]] {{.}}[0], [1, 2], [3], [4]] {{.*}} : tensor<1x6x6x6xf32> into tensor<1x2x3x6x6xf32>
// CHECK-NEXT:    %[[ROWS:.+]] = tensor.collapse_shape %[[Y]] {{.}}[0], [1], [2, 3], [4]]
// CHECK-NEXT:    return %[[Y]], %[[ROWS]]
func.func @groups_reshaped(%x: tensor<1x2x2x8x8xf32>, %start: tensor<1x2x3x6x6xf32>)
    -> (tensor<1x2x3x6x6xf32>, tensor<1x2x18x6xf32>) {
  %w = arith.constant dense<0.5> : tensor<2x3x2x3x3xf32>
  %y = linalg.conv_2d_ngchw_gfchw ins(%x, %w : tensor<1x2x2x8x8xf32>, tensor<2x3x2x3x3xf32>)
    outs(%start : tensor<1x2x3x6x6xf32>) -> tensor<1x2x3x6x6xf32>
  %rows = tensor.collapse_shape %y [[0], [1], [2, 3], [4]] : tensor<1x2x3x6x6xf32> into tensor<1x2x18x6xf32>
  return %y, %rows : tensor<1x2x3x6x6xf32>, tensor<1x2x18x6xf32>
}

// Of two grouped convolutions in a row torch-mlir folds the reshapes between them.
// CHECK-LABEL: func.func @grouped_chain
// CHECK-SAME:    (%[[X:.+]]: tensor<1x4x9xf32>)
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %{{.+}})
// CHECK:           -> tensor<1x4x7xf32>
// CHECK:         %[[Z:.+]] = "sparse_pattern.conv"(%[[Y]], %{{.+}})
// CHECK:           -> tensor<1x4x5xf32>
// CHECK-NEXT:    return %[[Z]]
func.func @grouped_chain(%x: tensor<1x4x9xf32>) -> tensor<1x4x5xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2x2x3x1xf32>
  %first_start = arith.constant dense<0.0> : tensor<1x2x2x7x1xf32>
  %start = arith.constant dense<0.0> : tensor<1x2x2x5x1xf32>
  %split = tensor.expand_shape %x [[0], [1, 2], [3, 4]] output_shape [1, 2, 2, 9, 1] : tensor<1x4x9xf32> into tensor<1x2x2x9x1xf32>
  %y = linalg.conv_2d_ngchw_gfchw ins(%split, %w : tensor<1x2x2x9x1xf32>, tensor<2x2x2x3x1xf32>)
    outs(%first_start : tensor<1x2x2x7x1xf32>) -> tensor<1x2x2x7x1xf32>
  %z = linalg.conv_2d_ngchw_gfchw ins(%y, %w : tensor<1x2x2x7x1xf32>, tensor<2x2x2x3x1xf32>)
    outs(%start : tensor<1x2x2x5x1xf32>) -> tensor<1x2x2x5x1xf32>
  %joined = tensor.collapse_shape %z [[0], [1, 2], [3, 4]] : tensor<1x2x2x5x1xf32> into tensor<1x4x5xf32>
  return %joined : tensor<1x4x5xf32>
}

// A convolution with a true width of 1, whose input has no form without it, stays one of two dimensions.
// CHECK-LABEL: func.func @grouped_column
// CHECK:         "sparse_pattern.conv"
// CHECK:           : (tensor<1x4x9x1xf32>, tensor<4x2x3x1xf32>) -> tensor<1x4x7x1xf32>
func.func @grouped_column(%x: tensor<1x4x9x1xf32>) -> tensor<1x4x7x1xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2x2x3x1xf32>
  %start = arith.constant dense<0.0> : tensor<1x2x2x7x1xf32>
  %split = tensor.expand_shape %x [[0], [1, 2], [3], [4]] output_shape [1, 2, 2, 9, 1] : tensor<1x4x9x1xf32> into tensor<1x2x2x9x1xf32>
  %y = linalg.conv_2d_ngchw_gfchw ins(%split, %w : tensor<1x2x2x9x1xf32>, tensor<2x2x2x3x1xf32>)
    outs(%start : tensor<1x2x2x7x1xf32>) -> tensor<1x2x2x7x1xf32>
  %joined = tensor.collapse_shape %y [[0], [1, 2], [3], [4]] : tensor<1x2x2x7x1xf32> into tensor<1x4x7x1xf32>
  return %joined : tensor<1x4x7x1xf32>
}

// The dialect has weights as filters x inputs: the constant under a transposition as it is ...
// CHECK-LABEL: func.func @linear_transposed
// CHECK-DAG:     %[[W:.+]] = arith.constant {{.*}} : tensor<2x3xf32>
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant {{.*}} : tensor<2xf32>
// CHECK-NOT:     linalg
// CHECK:         "sparse_pattern.linear"(%{{.+}}, %[[W]], %[[BIAS]]) ({
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 1, 0>, scheme = #sparse_pattern.dense
func.func @linear_transposed(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %bias = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %t_empty = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%t_empty : tensor<3x2xf32>) permutation = [1, 0]
  %empty = tensor.empty() : tensor<4x2xf32>
  %start = linalg.broadcast ins(%bias : tensor<2xf32>) outs(%empty : tensor<4x2xf32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %t : tensor<4x3xf32>, tensor<3x2xf32>) outs(%start : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// ... and one of inputs x filters transposed.
// CHECK-LABEL: func.func @linear_inputs_first
// CHECK{LITERAL}: arith.constant dense<[[1.000000e+00, 3.000000e+00, 5.000000e+00], [2.000000e+00, 4.000000e+00, 6.000000e+00]]>
// CHECK:         "sparse_pattern.linear"
func.func @linear_inputs_first(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x3xf32>, tensor<3x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// CHECK-LABEL: func.func @linear_by_maps
// CHECK{LITERAL}: arith.constant dense<[[1.000000e+00, 2.000000e+00, 3.000000e+00], [4.000000e+00, 5.000000e+00, 6.000000e+00]]>
// CHECK:         "sparse_pattern.linear"
func.func @linear_by_maps(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<4x3xf32>, tensor<2x3xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// One matrix for all images: their rows are joined. The matrix comes once, and repeated by a constant, by an op that has
// a name, and by one that has none.
#repeated = affine_map<(b, k, n) -> (k, n)>
#each = affine_map<(b, k, n) -> (b, k, n)>
// CHECK-LABEL: func.func @linear_batched
// CHECK-SAME:    (%[[X:.+]]: tensor<2x4x3xf32>)
// CHECK-DAG:     %[[ROWS:.+]] = tensor.collapse_shape %[[X]] {{.}}[0, 1], [2]] : tensor<2x4x3xf32> into tensor<8x3xf32>
// CHECK-DAG:     arith.constant dense<{{.}}[1.000000e+00, 3.000000e+00, 5.000000e+00], [2.000000e+00, 4.000000e+00, 6.000000e+00]]>
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%[[ROWS]], %{{.+}}) ({
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 0, 0>
// CHECK:         %[[EACH:.+]] = tensor.expand_shape %[[Y]] {{.}}[0, 1], [2]] {{.*}} : tensor<8x2xf32> into tensor<2x4x2xf32>
// CHECK-COUNT-2: "sparse_pattern.linear"
// CHECK-NOT:     linalg
// CHECK:         return %[[EACH]]
func.func @linear_batched(%x: tensor<2x4x3xf32>) -> (tensor<2x4x2xf32>, tensor<2x4x2xf32>, tensor<2x4x2xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2x4x2xf32>
  %constant = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]> : tensor<2x3x2xf32>
  %w = arith.constant dense<0.5> : tensor<3x2xf32>
  %empty = tensor.empty() : tensor<2x3x2xf32>
  %named = linalg.broadcast ins(%w : tensor<3x2xf32>) outs(%empty : tensor<2x3x2xf32>) dimensions = [0]
  %nameless = linalg.generic {indexing_maps = [#repeated, #each], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w : tensor<3x2xf32>) outs(%empty : tensor<2x3x2xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2x3x2xf32>
  %y = linalg.batch_matmul ins(%x, %constant : tensor<2x4x3xf32>, tensor<2x3x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  %z = linalg.batch_matmul ins(%x, %named : tensor<2x4x3xf32>, tensor<2x3x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  %u = linalg.batch_matmul ins(%x, %nameless : tensor<2x4x3xf32>, tensor<2x3x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  return %y, %z, %u : tensor<2x4x2xf32>, tensor<2x4x2xf32>, tensor<2x4x2xf32>
}

// CHECK-LABEL: func.func @linear_batched_onto_tensor
// CHECK-SAME:    %[[START:[^:]+]]: tensor<2x4x2xf32>)
// CHECK:         %[[ROWS:.+]] = tensor.collapse_shape %[[START]]
// CHECK:         "sparse_pattern.linear"(%{{.+}}, %{{.+}}, %[[ROWS]]) ({
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 0, 1>
func.func @linear_batched_onto_tensor(%x: tensor<2x4x3xf32>, %start: tensor<2x4x2xf32>) -> tensor<2x4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x3x2xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<2x4x3xf32>, tensor<2x3x2xf32>) outs(%start : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// Padding with the least value is that of a maximum, padding with zero that of a sum.
// CHECK-LABEL: func.func @pools
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x8x8xf32>
// CHECK:         "sparse_pattern.pool"(%[[X]])
// CHECK:           kernel = array<i64: 3, 3>, kind = "max",
// CHECK-SAME:      padding = array<i64: 1, 0, 0, 0>, strides = array<i64: 2, 1>
// CHECK:         "sparse_pattern.pool"
// CHECK:           dilations = array<i64: 2>, kernel = array<i64: 2>, kind = "sum",
// CHECK-SAME:      padding = array<i64: 1, 1>
func.func @pools(%x: tensor<1x3x8x8xf32>, %line: tensor<1x3x8xf32>) -> (tensor<1x3x4x6xf32>, tensor<1x3x8xf32>) {
  %least = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %window = tensor.empty() : tensor<3x3xf32>
  %padded = tensor.pad %x low[0, 0, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %least : f32
  } : tensor<1x3x8x8xf32> to tensor<1x3x9x8xf32>
  %empty = tensor.empty() : tensor<1x3x4x6xf32>
  %start = linalg.fill ins(%least : f32) outs(%empty : tensor<1x3x4x6xf32>) -> tensor<1x3x4x6xf32>
  %max = linalg.pooling_nchw_max {strides = dense<[2, 1]> : vector<2xi64>}
    ins(%padded, %window : tensor<1x3x9x8xf32>, tensor<3x3xf32>) outs(%start : tensor<1x3x4x6xf32>) -> tensor<1x3x4x6xf32>
  %line_window = tensor.empty() : tensor<2xf32>
  %line_padded = tensor.pad %line low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<1x3x8xf32> to tensor<1x3x10xf32>
  %line_start = arith.constant dense<0.0> : tensor<1x3x8xf32>
  %sum = linalg.pooling_ncw_sum {dilations = dense<2> : vector<1xi64>}
    ins(%line_padded, %line_window : tensor<1x3x10xf32>, tensor<2xf32>) outs(%line_start : tensor<1x3x8xf32>) -> tensor<1x3x8xf32>
  return %max, %sum : tensor<1x3x4x6xf32>, tensor<1x3x8xf32>
}

// linalg's inputs may be larger than the windows need, as torch-mlir's are for a pooling with ceil_mode: of four pixels of
// padding at the end windows reach one.
// CHECK-LABEL: func.func @needless_padding
// CHECK:         "sparse_pattern.pool"
// CHECK:           padding = array<i64: 0, 1>, strides = array<i64: 3>
func.func @needless_padding(%x: tensor<1x3x8xf32>) -> tensor<1x3x3xf32> {
  %least = arith.constant 0xFF800000 : f32
  %start = arith.constant dense<0xFF800000> : tensor<1x3x3xf32>
  %window = tensor.empty() : tensor<3xf32>
  %padded = tensor.pad %x low[0, 0, 0] high[0, 0, 4] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %least : f32
  } : tensor<1x3x8xf32> to tensor<1x3x12xf32>
  %y = linalg.pooling_ncw_max {strides = dense<3> : vector<1xi64>}
    ins(%padded, %window : tensor<1x3x12xf32>, tensor<3xf32>) outs(%start : tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  return %y : tensor<1x3x3xf32>
}

// A pooling that linalg has for channels last only, between transpositions.
// CHECK-LABEL: func.func @pool_channels_last
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x4x6x8xf32>)
// CHECK-NOT:     linalg
// CHECK:         %[[Y:.+]] = "sparse_pattern.pool"(%[[X]])
// CHECK:           kernel = array<i64: 1, 2, 4>
// CHECK:           -> tensor<1x3x4x3x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @pool_channels_last(%x: tensor<1x3x4x6x8xf32>) -> tensor<1x3x4x3x2xf32> {
  %least = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<1x2x4xf32>
  %last_empty = tensor.empty() : tensor<1x4x6x8x3xf32>
  %last = linalg.transpose ins(%x : tensor<1x3x4x6x8xf32>) outs(%last_empty : tensor<1x4x6x8x3xf32>)
    permutation = [0, 2, 3, 4, 1]
  %empty = tensor.empty() : tensor<1x4x3x2x3xf32>
  %start = linalg.fill ins(%least : f32) outs(%empty : tensor<1x4x3x2x3xf32>) -> tensor<1x4x3x2x3xf32>
  %max = linalg.pooling_ndhwc_max {strides = dense<[1, 2, 4]> : vector<3xi64>}
    ins(%last, %window : tensor<1x4x6x8x3xf32>, tensor<1x2x4xf32>)
    outs(%start : tensor<1x4x3x2x3xf32>) -> tensor<1x4x3x2x3xf32>
  %first_empty = tensor.empty() : tensor<1x3x4x3x2xf32>
  %first = linalg.transpose ins(%max : tensor<1x4x3x2x3xf32>) outs(%first_empty : tensor<1x3x4x3x2xf32>)
    permutation = [0, 4, 1, 2, 3]
  return %first : tensor<1x3x4x3x2xf32>
}

// A window that linalg has no name for.
#window_in = affine_map<(n, c, o, p, q, t, u, v) -> (n, c, o + t, p * 2 + u, q * 2 + v)>
#window = affine_map<(n, c, o, p, q, t, u, v) -> (t, u, v)>
#window_out = affine_map<(n, c, o, p, q, t, u, v) -> (n, c, o, p, q)>
// CHECK-LABEL: func.func @pool_generic
// CHECK:         "sparse_pattern.pool"
// CHECK:           kernel = array<i64: 1, 2, 2>, kind = "sum"
// CHECK-SAME:      strides = array<i64: 1, 2, 2>
func.func @pool_generic(%x: tensor<1x3x4x6x8xf32>) -> tensor<1x3x4x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x3x4x3x4xf32>
  %window = tensor.empty() : tensor<1x2x2xf32>
  %sum = linalg.generic {indexing_maps = [#window_in, #window, #window_out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
    ins(%x, %window : tensor<1x3x4x6x8xf32>, tensor<1x2x2xf32>) outs(%zero : tensor<1x3x4x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<1x3x4x3x4xf32>
  return %sum : tensor<1x3x4x3x4xf32>
}

// A reduction over all pixels is a pooling whose window is the whole input, be the dimensions kept or not.
// CHECK-LABEL: func.func @reductions
// CHECK:         "sparse_pattern.pool"
// CHECK:           kernel = array<i64: 7, 5>, kind = "sum"
// CHECK:           -> tensor<2x3xf32>
// CHECK:         "sparse_pattern.pool"
// CHECK:           kernel = array<i64: 7, 5>, kind = "max"
// CHECK:           -> tensor<2x3x1x1xf32>
func.func @reductions(%x: tensor<2x3x7x5xf32>) -> (tensor<2x3xf32>, tensor<2x3x1x1xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2x3xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x : tensor<2x3x7x5xf32>) outs(%zero : tensor<2x3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32>
  %least = arith.constant dense<0xFF800000> : tensor<2x3x1x1xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, 0, 0)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x : tensor<2x3x7x5xf32>) outs(%least : tensor<2x3x1x1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.maximumf %acc, %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x1x1xf32>
  return %sum, %max : tensor<2x3xf32>, tensor<2x3x1x1xf32>
}

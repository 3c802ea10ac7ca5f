// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' | FileCheck %s

// torch-mlir gives a grouped convolution of one dimension another one, in which nothing slides. It goes, also from an added tensor.
// CHECK-LABEL: func.func @line
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x9xf32>, %[[R:.+]]: tensor<1x2x9x1xf32>)
// CHECK-DAG:     %[[W:.+]] = arith.constant dense<{{.*}}> : tensor<2x1x3xf32>
// CHECK-DAG:     %[[LINE:.+]] = tensor.collapse_shape %[[R]] {{\[\[}}0], [1], [2, 3]] : tensor<1x2x9x1xf32> into tensor<1x2x9xf32>
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %[[W]], %[[LINE]])
// CHECK:         dilations = array<i64: 2>
// CHECK-SAME:    groups = 2
// CHECK-SAME:    padding = array<i64: 2, 2>
// CHECK-SAME:    strides = array<i64: 1>
// CHECK:         return %[[Y]] : tensor<1x2x9xf32>
func.func @line(%x: tensor<1x2x9xf32>, %r: tensor<1x2x9x1xf32>) -> tensor<1x2x9xf32> {
  %w = arith.constant dense<[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]> : tensor<2x3x1xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 2, 9, 1] : tensor<1x2x9xf32> into tensor<1x2x9x1xf32>
  %p = tensor.pad %e low[0, 0, 2, 0] high[0, 0, 2, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x9x1xf32> to tensor<1x2x13x1xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : tensor<2xi64>, dilations = dense<[2, 1]> : tensor<2xi64>}
    ins(%p, %w : tensor<1x2x13x1xf32>, tensor<2x3x1xf32>) outs(%r : tensor<1x2x9x1xf32>) -> tensor<1x2x9x1xf32>
  %z = tensor.collapse_shape %y [[0], [1], [2, 3]] : tensor<1x2x9x1xf32> into tensor<1x2x9xf32>
  return %z : tensor<1x2x9xf32>
}

// -----

// Images of one frame are images, whose rows and columns stay.
// CHECK-LABEL: func.func @frame
// CHECK:         "sparse_pattern.conv"
// CHECK:         padding = array<i64: 1, 0, 0, 1>
// CHECK-SAME:    (tensor<1x2x6x5xf32>, tensor<3x2x2x2xf32>) -> tensor<1x3x6x5xf32>
func.func @frame(%x: tensor<1x2x6x5xf32>) -> tensor<1x3x6x5xf32> {
  %w = arith.constant dense<0.5> : tensor<3x2x1x2x2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x3x1x6x5xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x3x1x6x5xf32>) -> tensor<1x3x1x6x5xf32>
  %e = tensor.expand_shape %x [[0], [1], [2, 3], [4]] output_shape [1, 2, 1, 6, 5] : tensor<1x2x6x5xf32> into tensor<1x2x1x6x5xf32>
  %p = tensor.pad %e low[0, 0, 0, 1, 0] high[0, 0, 0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index, %m: index):
    tensor.yield %zero : f32
  } : tensor<1x2x1x6x5xf32> to tensor<1x2x1x7x6xf32>
  %y = linalg.conv_3d_ncdhw_fcdhw {strides = dense<1> : tensor<3xi64>, dilations = dense<1> : tensor<3xi64>}
    ins(%p, %w : tensor<1x2x1x7x6xf32>, tensor<3x2x1x2x2xf32>) outs(%start : tensor<1x3x1x6x5xf32>) -> tensor<1x3x1x6x5xf32>
  %z = tensor.collapse_shape %y [[0], [1], [2, 3], [4]] : tensor<1x3x1x6x5xf32> into tensor<1x3x6x5xf32>
  return %z : tensor<1x3x6x5xf32>
}

// -----

// Where a reader wants the dimension, it stays.
// CHECK-LABEL: func.func @wanted
// CHECK:         "sparse_pattern.conv"
// CHECK:         -> tensor<1x2x9x1xf32>
func.func @wanted(%x: tensor<1x2x9xf32>) -> tensor<1x2x9x1xf32> {
  %w = arith.constant dense<0.5> : tensor<2x1x1xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2x9x1xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2x9x1xf32>) -> tensor<1x2x9x1xf32>
  %e = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 2, 9, 1] : tensor<1x2x9xf32> into tensor<1x2x9x1xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%e, %w : tensor<1x2x9x1xf32>, tensor<2x1x1xf32>) outs(%start : tensor<1x2x9x1xf32>) -> tensor<1x2x9x1xf32>
  return %y : tensor<1x2x9x1xf32>
}

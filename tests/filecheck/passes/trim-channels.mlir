// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-trim-channels)' | FileCheck %s
// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-trim-channels)'

// A filter of zeros without a bias: it goes, and so does the channel of the layer that reads it.
// CHECK-LABEL: func.func @zero_filter
// CHECK:         %[[W:.+]] = arith.constant dense<{{\[}}[1.0{{.*}}, 2.0{{.*}}], [5.0{{.*}}, 6.0{{.*}}]]> : tensor<2x2xf32>
// CHECK:         %[[A:.+]] = "sparse_pattern.linear"(%{{.+}}, %[[W]])
// CHECK:           : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
// CHECK:         %[[V:.+]] = arith.constant dense<{{\[}}[1.0{{.*}}, 3.0{{.*}}]]> : tensor<1x2xf32>
// CHECK:         "sparse_pattern.linear"(%[[A]], %[[V]])
// CHECK:           : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
func.func @zero_filter(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %v = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 filters}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 inputs}}
  %y = "sparse_pattern.linear"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// What no filter reads goes, through an elementwise op and a pooling; then what only it needed, in turn.
// CHECK-LABEL: func.func @unread_channel
// CHECK:         -> tensor<1x1x4xf32>
// CHECK:         -> tensor<1x2x4xf32>
// CHECK:         linalg.generic
// CHECK:         -> tensor<1x2x4xf32>
// CHECK:         "sparse_pattern.pool"
// CHECK:         -> tensor<1x2x2xf32>
// CHECK:         (tensor<1x2x2xf32>, tensor<1x2x1xf32>) -> tensor<1x1x2xf32>
#map = affine_map<(n, c, h) -> (n, c, h)>
#channel = affine_map<(n, c, h) -> (0, c, 0)>
func.func @unread_channel(%x: tensor<1x2x4xf32>) -> tensor<1x1x2xf32> {
  %u = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32>
  %w = arith.constant dense<[[[1.0], [0.0]], [[1.0], [1.0]], [[2.0], [0.0]]]> : tensor<3x2x1xf32>
  %v = arith.constant dense<[[[1.0], [0.0], [3.0]]]> : tensor<1x3x1xf32>
  %scale = arith.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.conv"(%x, %u) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32>, tensor<2x2x1xf32>) -> tensor<1x2x4xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 filters, 2 -> 1 channels}}
  %b = "sparse_pattern.conv"(%a, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32>, tensor<3x2x1xf32>) -> tensor<1x3x4xf32>
  %empty = tensor.empty() : tensor<1x3x4xf32>
  %c = linalg.generic {indexing_maps = [#map, #channel, #map], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%b, %scale : tensor<1x3x4xf32>, tensor<1x3x1xf32>) outs(%empty : tensor<1x3x4xf32>) {
  ^bb0(%v0: f32, %s: f32, %out: f32):
    %0 = arith.mulf %v0, %s : f32
    linalg.yield %0 : f32
  } -> tensor<1x3x4xf32>
  %d = "sparse_pattern.pool"(%c) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 2>, strides = array<i64: 2>, dilations = array<i64: 1>,
      padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<1x3x4xf32>) -> tensor<1x3x2xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 channels}}
  %y = "sparse_pattern.conv"(%d, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x2xf32>, tensor<1x3x1xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----

// A filter of zeros gives its bias after the activation, here 2, which the next layer adds to its own bias: 1 + 3 * 2.
// CHECK-LABEL: func.func @constant_into_bias
// CHECK-DAG:     %[[V:.+]] = arith.constant dense<5.0{{.*}}> : tensor<1x1xf32>
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant dense<7.0{{.*}}> : tensor<1xf32>
// CHECK:         "sparse_pattern.linear"(%{{.+}}, %[[V]], %[[BIAS]])
func.func @constant_into_bias(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[2.0, 0.5]> : tensor<2xf32>
  %v = arith.constant dense<[[3.0, 5.0]]> : tensor<1x2xf32>
  %c = arith.constant dense<1.0> : tensor<1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.linear"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    %zero = arith.constant 0.0 : f32
    %1 = arith.maximumf %0, %zero : f32
    "sparse_pattern.yield"(%1) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 inputs}}
  %y = "sparse_pattern.linear"(%a, %v, %c) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// Beside padding a constant counts less, so it stays; but one is enough: 1 * 2 + 3 * 4 is 3.5 * 4.
// CHECK-LABEL: func.func @constants_beside_padding
// CHECK-DAG:     %[[W:.+]] = arith.constant dense<{{\[}}{{\[}}[0.0{{.*}}]], {{\[}}[1.0{{.*}}]]]> : tensor<2x1x1xf32>
// CHECK-DAG:     %[[BIAS:.+]] = arith.constant dense<[4.0{{.*}}, 0.0{{.*}}]> : tensor<2xf32>
// CHECK:         %[[A:.+]] = "sparse_pattern.conv"(%{{.+}}, %[[W]], %[[BIAS]])
// CHECK:         %[[V:.+]] = arith.constant dense<{{\[}}{{\[}}[3.5{{.*}}, 3.5{{.*}}], [5.0{{.*}}, 6.0{{.*}}]]]> : tensor<1x2x2xf32>
// CHECK:         "sparse_pattern.conv"(%[[A]], %[[V]])
func.func @constants_beside_padding(%x: tensor<1x1x4xf32>) -> tensor<1x1x5xf32> {
  %w = arith.constant dense<[[[0.0]], [[0.0]], [[1.0]]]> : tensor<3x1x1xf32>
  %bias = arith.constant dense<[2.0, 4.0, 0.0]> : tensor<3xf32>
  %v = arith.constant dense<[[[1.0, 1.0], [3.0, 3.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  // expected-remark @+2 {{trimmed: 3 -> 2 filters}}
  // expected-remark @+1 {{keeps 1 of 3 filters that are zero: a layer reads their constant and cannot add it to a bias}}
  %a = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x1x4xf32>, tensor<3x1x1xf32>, tensor<3xf32>) -> tensor<1x3x4xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 channels}}
  %y = "sparse_pattern.conv"(%a, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x4xf32>, tensor<1x3x2xf32>) -> tensor<1x1x5xf32>
  return %y : tensor<1x1x5xf32>
}

// -----

// A channel goes from a sum if it goes from both branches: here the second, not the first.
// CHECK-LABEL: func.func @sum
// CHECK-COUNT-2: -> tensor<2x2xf32>
// CHECK:         (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x1xf32>
func.func @sum(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[0.0, 0.0], [0.0, 0.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %u = arith.constant dense<[[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]> : tensor<3x2xf32>
  %v = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  // expected-remark @+2 {{trimmed: 3 -> 2 filters}}
  // expected-remark @+1 {{keeps 1 of 3 filters that are zero: other layers read them}}
  %a = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 filters}}
  %b = "sparse_pattern.linear"(%x, %u, %a) ({
  ^bb0(%acc: f32, %r: f32):
    %0 = arith.addf %acc, %r : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
    : (tensor<2x2xf32>, tensor<3x2xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 inputs}}
  %y = "sparse_pattern.linear"(%b, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// A concatenation, a part of it, and padding: each part keeps its own channels.
// CHECK-LABEL: func.func @joined
// CHECK:         tensor.concat dim(1) {{.+}} : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x2x4xf32>
// CHECK:         tensor.extract_slice {{.+}}[0, 1, 1] [1, 1, 3] [1, 1, 1] : tensor<1x2x4xf32> to tensor<1x1x3xf32>
// CHECK:         tensor.pad
// CHECK:         tensor<1x1x3xf32> to tensor<1x1x5xf32>
func.func @joined(%x: tensor<1x1x4xf32>) -> (tensor<1x1x5xf32>, tensor<1x1x4xf32>) {
  %w = arith.constant dense<[[[0.0]], [[1.0]]]> : tensor<2x1x1xf32>
  %u = arith.constant dense<[[[2.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %v = arith.constant dense<[[[1.0], [3.0]]]> : tensor<1x2x1xf32>
  %t = arith.constant dense<[[[1.0], [3.0], [0.0], [0.0]]]> : tensor<1x4x1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %b = "sparse_pattern.conv"(%x, %u) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  %zero = arith.constant 0.0 : f32
  %c = tensor.concat dim(1) %a, %b : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x4x4xf32>
  %part = tensor.extract_slice %c[0, 2, 1] [1, 2, 3] [1, 1, 1] : tensor<1x4x4xf32> to tensor<1x2x3xf32>
  %padded = tensor.pad %part low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<1x2x3xf32> to tensor<1x2x5xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 channels}}
  %y = "sparse_pattern.conv"(%padded, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x5xf32>, tensor<1x2x1xf32>) -> tensor<1x1x5xf32>
  // expected-remark @+1 {{trimmed: 4 -> 2 channels}}
  %z = "sparse_pattern.conv"(%c, %t) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x4xf32>, tensor<1x4x1xf32>) -> tensor<1x1x4xf32>
  return %y, %z : tensor<1x1x5xf32>, tensor<1x1x4xf32>
}

// -----

// A flattened channel is several inputs of the linear layer behind it.
// CHECK-LABEL: func.func @flattened
// CHECK:         tensor.collapse_shape {{.+}} : tensor<1x1x2xf32> into tensor<1x2xf32>
// CHECK:         arith.constant dense<{{\[}}[1.0{{.*}}, 2.0{{.*}}]]> : tensor<1x2xf32>
func.func @flattened(%x: tensor<1x1x2xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[[1.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %v = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %flat = tensor.collapse_shape %a [[0], [1, 2]] : tensor<1x2x2xf32> into tensor<1x4xf32>
  // expected-remark @+1 {{trimmed: 4 -> 2 inputs}}
  %y = "sparse_pattern.linear"(%flat, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A channel of a pixel shuffle (in one dimension) is two filters, which go together or stay.
// CHECK-LABEL: func.func @shuffled
// CHECK:         -> tensor<1x2x3xf32>
// CHECK:         tensor.expand_shape {{.+}} output_shape [1, 1, 2, 3] : tensor<1x2x3xf32> into tensor<1x1x2x3xf32>
// CHECK:         linalg.transpose {{.+}} outs({{.+}} : tensor<1x1x3x2xf32>)
// CHECK:         tensor.collapse_shape {{.+}} into tensor<1x1x6xf32>
func.func @shuffled(%x: tensor<1x1x3xf32>) -> tensor<1x1x6xf32> {
  %w = arith.constant dense<[[[0.0]], [[1.0]], [[0.0]], [[0.0]]]> : tensor<4x1x1xf32>
  %v = arith.constant dense<[[[1.0], [2.0]]]> : tensor<1x2x1xf32>
  // expected-remark @+2 {{trimmed: 4 -> 2 filters}}
  // expected-remark @+1 {{keeps 1 of 4 filters that are zero: other layers read them}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3xf32>
  %b = tensor.expand_shape %a [[0], [1, 2], [3]] output_shape [1, 2, 2, 3] : tensor<1x4x3xf32> into tensor<1x2x2x3xf32>
  %empty = tensor.empty() : tensor<1x2x3x2xf32>
  %c = linalg.transpose ins(%b : tensor<1x2x2x3xf32>) outs(%empty : tensor<1x2x3x2xf32>) permutation = [0, 1, 3, 2]
  %d = tensor.collapse_shape %c [[0], [1], [2, 3]] : tensor<1x2x3x2xf32> into tensor<1x2x6xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 channels}}
  %y = "sparse_pattern.conv"(%d, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x6xf32>, tensor<1x2x1xf32>) -> tensor<1x1x6xf32>
  return %y : tensor<1x1x6xf32>
}

// -----

// Of three groups one goes; the others keep equally many channels.
// CHECK-LABEL: func.func @groups
// CHECK:         -> tensor<1x2x4xf32>
// CHECK:         groups = 2
// CHECK:         (tensor<1x2x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
// CHECK:         (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x1x4xf32>
func.func @groups(%x: tensor<1x1x4xf32>) -> tensor<1x1x4xf32> {
  %w = arith.constant dense<[[[1.0]], [[0.0]], [[2.0]], [[3.0]], [[0.0]], [[4.0]]]> : tensor<6x1x1xf32>
  %u = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]]> : tensor<3x2x1xf32>
  %v = arith.constant dense<[[[1.0], [0.0], [2.0]]]> : tensor<1x3x1xf32>
  // expected-remark @+1 {{trimmed: 6 -> 2 filters}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x4xf32>, tensor<6x1x1xf32>) -> tensor<1x6x4xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 filters, 6 -> 2 channels}}
  %b = "sparse_pattern.conv"(%a, %u) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 3,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x6x4xf32>, tensor<3x2x1xf32>) -> tensor<1x3x4xf32>
  // expected-remark @+1 {{trimmed: 3 -> 2 channels}}
  %y = "sparse_pattern.conv"(%b, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x4xf32>, tensor<1x3x1xf32>) -> tensor<1x1x4xf32>
  return %y : tensor<1x1x4xf32>
}

// -----

// An op that resizes reads its input where it writes, as to channels.
// CHECK-LABEL: func.func @resized
// CHECK:         linalg.generic
// CHECK:         tensor.extract %{{.+}} : tensor<1x1x2xf32>
// CHECK:         -> tensor<1x1x4xf32>
#map = affine_map<(n, c, h) -> (n, c, h)>
func.func @resized(%x: tensor<1x1x2xf32>) -> tensor<1x1x4xf32> {
  %w = arith.constant dense<[[[1.0]], [[0.0]]]> : tensor<2x1x1xf32>
  %v = arith.constant dense<[[[1.0], [3.0]]]> : tensor<1x2x1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %empty = tensor.empty() : tensor<1x2x4xf32>
  %two = arith.constant 2 : index
  %b = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel"]}
    outs(%empty : tensor<1x2x4xf32>) {
  ^bb0(%out: f32):
    %n = linalg.index 0 : index
    %c = linalg.index 1 : index
    %h = linalg.index 2 : index
    %row = arith.divui %h, %two : index
    %0 = tensor.extract %a[%n, %c, %row] : tensor<1x2x2xf32>
    linalg.yield %0 : f32
  } -> tensor<1x2x4xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 channels}}
  %y = "sparse_pattern.conv"(%b, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x1x4xf32>
  return %y : tensor<1x1x4xf32>
}

// -----

// A sum over pixels has the channels of what it adds up.
// CHECK-LABEL: func.func @summed
// CHECK:         linalg.fill {{.+}} -> tensor<1x1x1xf32>
// CHECK:         linalg.generic
// CHECK:         -> tensor<1x1x1xf32>
#map = affine_map<(n, c, h) -> (n, c, h)>
#sum = affine_map<(n, c, h) -> (n, c, 0)>
func.func @summed(%x: tensor<1x1x2xf32>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %v = arith.constant dense<[[[1.0], [0.0]]]> : tensor<1x2x1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 filters}}
  %a = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2x1xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2x1xf32>) -> tensor<1x2x1xf32>
  %sum = linalg.generic {indexing_maps = [#map, #sum], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a : tensor<1x2x2xf32>) outs(%start : tensor<1x2x1xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x1xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 channels}}
  %y = "sparse_pattern.conv"(%sum, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x1xf32>, tensor<1x2x1xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

// Two heads of two numbers: head 1 has no values, and number 0 of the keys of head 0 is zero. What stays
// keeps its scale.
// CHECK-LABEL: func.func @heads
// CHECK-SAME:    %[[X:.+]]: tensor<3x4xf32>
// CHECK:         "sparse_pattern.linear"(%[[X]]
// CHECK:         -> tensor<3x1xf32>
// CHECK:         "sparse_pattern.linear"(%[[X]]
// CHECK:         -> tensor<3x1xf32>
// CHECK:         "sparse_pattern.linear"(%[[X]]
// CHECK:         -> tensor<3x2xf32>
// CHECK:         tensor.expand_shape {{.+}} output_shape [1, 3, 1, 1]
// CHECK:         tensor.expand_shape {{.+}} output_shape [1, 3, 1, 1]
// CHECK:         tensor.expand_shape {{.+}} output_shape [1, 3, 1, 2]
// CHECK:         %[[A:.+]] = "sparse_pattern.attention"
// CHECK-SAME:      scale = 5.000000e-01
// CHECK-SAME:      -> tensor<1x3x1x2xf32>
// CHECK:         %[[R:.+]] = tensor.collapse_shape %[[A]] {{.+}} into tensor<3x2xf32>
// CHECK:         "sparse_pattern.linear"(%[[R]]
// CHECK:         (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x1xf32>
func.func @heads(%x: tensor<3x4xf32>) -> tensor<3x1xf32> {
  %wq = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 1.0, 1.0], [1.0, 2.0, 1.0, 1.0], [1.0, 1.0, 1.0, 2.0]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[0.0, 0.0, 0.0, 0.0], [2.0, 1.0, 3.0, 1.0], [1.0, 2.0, 5.0, 1.0], [1.0, 1.0, 7.0, 2.0]]> : tensor<4x4xf32>
  %wv = arith.constant dense<[[1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 1.0, 7.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<4x4xf32>
  %wo = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  // expected-remark @+1 {{trimmed: 4 -> 1 filters}}
  %q = "sparse_pattern.linear"(%x, %wq) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  // expected-remark @+1 {{trimmed: 4 -> 1 filters}}
  %k = "sparse_pattern.linear"(%x, %wk) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  // expected-remark @+1 {{trimmed: 4 -> 2 filters}}
  %v = "sparse_pattern.linear"(%x, %wv) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<4x4xf32>) -> tensor<3x4xf32>
  %q4 = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [1, 3, 2, 2] : tensor<3x4xf32> into tensor<1x3x2x2xf32>
  %k4 = tensor.expand_shape %k [[0, 1], [2, 3]] output_shape [1, 3, 2, 2] : tensor<3x4xf32> into tensor<1x3x2x2xf32>
  %v4 = tensor.expand_shape %v [[0, 1], [2, 3]] output_shape [1, 3, 2, 2] : tensor<3x4xf32> into tensor<1x3x2x2xf32>
  // expected-remark @+1 {{trimmed: 2 -> 1 heads, 2 -> 1 numbers of queries and keys}}
  %y4 = "sparse_pattern.attention"(%q4, %k4, %v4) {query_axes = array<i64: 0, 2, 1>, key_axes = array<i64: 0, 2, 1>, value_axes = array<i64: 0, 2, 1>,
      result_axes = array<i64: 0, 2, 1>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %y = tensor.collapse_shape %y4 [[0, 1], [2, 3]] : tensor<1x3x2x2xf32> into tensor<3x4xf32>
  // expected-remark @+1 {{trimmed: 4 -> 2 inputs}}
  %z = "sparse_pattern.linear"(%y, %wo) ({
  ^bb0(%sum: f32):
    "sparse_pattern.yield"(%sum) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x1xf32>
  return %z : tensor<3x1xf32>
}

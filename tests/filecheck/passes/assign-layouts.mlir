// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-assign-layouts)' | FileCheck %s

// Between convolutions activations stay planar; a stride of 2 reads phase planes of its own pitch, and whoever is no layer
// gets a plain tensor. Planes start at multiples of a vector.
// CHECK-LABEL: func.func @chain
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x8x8xf32>)
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"(%[[X]]) : (tensor<1x3x8x8xf32>)
// CHECK-SAME:      -> tensor<1x3x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 12 : i64, 84 : i64, 20 : i64>>
// CHECK-NEXT:    %[[A:.+]] = "sparse_pattern.conv"(%[[PLANAR]],
// CHECK:           -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 12 : i64, 84 : i64, 20 : i64>>
// CHECK-NEXT:    %[[PHASES:.+]] = "sparse_pattern.convert_layout"(%[[A]])
// CHECK-SAME:      -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 8 : i64, 28 : i64, 8 : i64>>
// CHECK-NEXT:    %[[B:.+]] = "sparse_pattern.conv"(%[[PHASES]],
// CHECK:           -> tensor<1x4x4x4xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 20 : i64, 4 : i64>>
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.convert_layout"(%[[B]])
// CHECK-SAME:      -> tensor<1x4x4x4xf32>
// CHECK-NEXT:    return %[[Y]]
module attributes {sparse_pattern.target = "arm64"} {
  func.func @chain(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x3x3x3xf32>
    %v = arith.constant dense<0.5> : tensor<4x4x3x3xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
    %b = "sparse_pattern.conv"(%a, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x4x4xf32>
    return %b : tensor<1x4x4x4xf32>
  }
}

// -----

// With vectors of 16 planes and lead are rounded up further.
// CHECK-LABEL: func.func @wide_vectors
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      array<i64: 0>, 16 : i64, 96 : i64, 48 : i64>>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @wide_vectors(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> {
    %w = arith.constant dense<0.5> : tensor<4x3x3x3xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
    return %a : tensor<1x4x8x8xf32>
  }
}

// -----

// A 1x1 convolution of stride 2 reads every other pixel of every other row: one phase of four is stored. It needs no halo.
// CHECK-LABEL: func.func @one_phase
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      planar<array<i64: 4, 4>, array<i64: 4, 1>, array<i64: 2, 2>, array<i64: 0>, 0 : i64, 16 : i64
module attributes {sparse_pattern.target = "arm64"} {
  func.func @one_phase(%x: tensor<1x3x7x7xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x3x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x7x7xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x4x4xf32>
    return %a : tensor<1x4x4x4xf32>
  }
}

// -----

// Convolutions and residual adds join activations into a group of one pitch: the 5x5 kernel's halo of 2 is there in all of
// them. Two readers of one value share its conversion.
// CHECK-LABEL: func.func @group
// CHECK-SAME:    (%[[X:.+]]: tensor<1x4x6x6xf32>, %[[R:.+]]: tensor<1x4x6x6xf32>)
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"(%[[X]])
// CHECK-SAME:      array<i64: 8, 1>
// CHECK-NEXT:    %[[RESIDUAL:.+]] = "sparse_pattern.convert_layout"(%[[R]])
// CHECK-SAME:      array<i64: 8, 1>
// CHECK-NEXT:    %[[A:.+]] = "sparse_pattern.conv"(%[[PLANAR]], %{{.+}}, %[[RESIDUAL]])
// CHECK-NOT:     convert_layout
// CHECK:         %[[B:.+]] = "sparse_pattern.conv"(%[[PLANAR]], %{{.+}}, %[[A]])
// CHECK-NOT:     convert_layout
// CHECK:         return
module attributes {sparse_pattern.target = "arm64"} {
  func.func @group(%x: tensor<1x4x6x6xf32>, %r: tensor<1x4x6x6xf32>) {
    %w = arith.constant dense<0.5> : tensor<4x4x1x1xf32>
    %v = arith.constant dense<0.5> : tensor<4x4x5x5xf32>
    %a = "sparse_pattern.conv"(%x, %w, %r) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x4x6x6xf32>, tensor<4x4x1x1xf32>, tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
    %b = "sparse_pattern.conv"(%x, %v, %a) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x4x6x6xf32>, tensor<4x4x5x5xf32>, tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
    return
  }
}

// -----

// A pooling reads every s-th pixel of an unsplit activation and joins nothing: its result has a pitch of its own. Down to
// one pixel it writes the plain tensor that linear layers read.
// CHECK-LABEL: func.func @pools
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"(%{{.+}})
// CHECK-SAME:      planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>,
// CHECK-NEXT:    %[[MAX:.+]] = "sparse_pattern.pool"(%[[PLANAR]])
// CHECK:           -> tensor<1x4x4x4xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 4, 1>,
// CHECK-NEXT:    %[[MEAN:.+]] = "sparse_pattern.pool"(%[[MAX]])
// CHECK:           -> tensor<1x4xf32>
// CHECK-NEXT:    return %[[MEAN]]
module attributes {sparse_pattern.target = "arm64"} {
  func.func @pools(%x: tensor<1x4x8x8xf32>) -> tensor<1x4xf32> {
    %max = "sparse_pattern.pool"(%x) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    %mean = "sparse_pattern.pool"(%max) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 4, 4>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x4x4x4xf32>) -> tensor<1x4xf32>
    return %mean : tensor<1x4xf32>
  }
}

// -----

// A conversion in one branch is not there in the other: each has its own.
// CHECK-LABEL: func.func @branches
// CHECK:       ^[[FIRST:.+]]:
// CHECK:         sparse_pattern.convert_layout
// CHECK:         sparse_pattern.conv"
// CHECK:       ^[[SECOND:.+]]:
// CHECK:         sparse_pattern.convert_layout
// CHECK:         sparse_pattern.conv"
module attributes {sparse_pattern.target = "arm64"} {
  func.func @branches(%c: i1, %x: tensor<1x3x8xf32>) -> tensor<1x4x8xf32> {
    %w = arith.constant dense<0.5> : tensor<4x3x1xf32>
    cf.cond_br %c, ^first, ^second
  ^first:
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
    return %a : tensor<1x4x8xf32>
  ^second:
    %b = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      %0 = math.tanh %acc : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8xf32>, tensor<4x3x1xf32>) -> tensor<1x4x8xf32>
    return %b : tensor<1x4x8xf32>
  }
}

// -----

// A strided depthwise convolution goes row by row through an input that is not split: the conversion would cost more.
// CHECK-LABEL: func.func @strided_depthwise
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"(%{{.+}}) : (tensor<1x4x8x8xf32>)
// CHECK-SAME:      -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 12 : i64, 84 : i64, 12 : i64>>
// CHECK-NEXT:    "sparse_pattern.conv"(%[[PLANAR]],
// CHECK:           -> tensor<1x4x4x4xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 16 : i64, 4 : i64>>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @strided_depthwise(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x1x3x3xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 4,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x4x4xf32>
    return %y : tensor<1x4x4x4xf32>
  }
}

// -----

// On a GPU, too, unless its window is so large that it has the kernel of all others, which reads phases.
// CHECK-LABEL: func.func @strided_depthwise_on_gpu
// CHECK-NOT:     array<i64: 2, 2>, array<i64: 0, 1, 2, 3>
// CHECK-LABEL: func.func @large_window_on_gpu
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      array<i64: 2, 2>, array<i64: 0, 1, 2, 3>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @strided_depthwise_on_gpu(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x1x3x3xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 4,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x4x4xf32>
    return %y : tensor<1x4x4x4xf32>
  }
  func.func @large_window_on_gpu(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x1x9x9xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 4, 4, 4, 4>, groups = 4,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x4x8x8xf32>, tensor<4x1x9x9xf32>) -> tensor<1x4x4x4xf32>
    return %y : tensor<1x4x4x4xf32>
  }
}

// -----

// What a concatenation joins has one layout, as wide as its widest reader needs. More than two are joined one by one. Where no
// layer is around it, a concatenation stays as it is; so does one of rows.
// CHECK-LABEL: func.func @joined
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"
// CHECK-SAME:      -> tensor<1x3x8x8xf32, #[[LAYOUT:sparse_pattern.planar<.+>]]>
// CHECK:         %[[A:.+]] = "sparse_pattern.conv"(%[[PLANAR]],
// CHECK:           -> tensor<1x4x8x8xf32, #[[LAYOUT]]>
// CHECK:         %[[TWO:.+]] = "sparse_pattern.concat"(%[[A]], %[[PLANAR]])
// CHECK-SAME:      -> tensor<1x7x8x8xf32, #[[LAYOUT]]>
// CHECK:         %[[THREE:.+]] = "sparse_pattern.concat"(%[[TWO]], %[[A]])
// CHECK-SAME:      -> tensor<1x11x8x8xf32, #[[LAYOUT]]>
// CHECK:         "sparse_pattern.conv"(%[[THREE]],
// CHECK:         tensor.concat dim(2)
// CHECK:         tensor.concat dim(1)
module attributes {sparse_pattern.target = "arm64"} {
  func.func @joined(%x: tensor<1x3x8x8xf32>) -> (tensor<1x4x16x8xf32>, tensor<1x6x8x8xf32>) {
    %w = arith.constant dense<0.5> : tensor<4x3x1x1xf32>
    %v = arith.constant dense<0.5> : tensor<4x11x3x3xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %c = tensor.concat dim(1) %a, %x, %a
      : (tensor<1x4x8x8xf32>, tensor<1x3x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x11x8x8xf32>
    %b = "sparse_pattern.conv"(%c, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x11x8x8xf32>, tensor<4x11x3x3xf32>) -> tensor<1x4x8x8xf32>
    %rows = tensor.concat dim(2) %b, %b : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x16x8xf32>
    %plain = tensor.concat dim(1) %x, %x : (tensor<1x3x8x8xf32>, tensor<1x3x8x8xf32>) -> tensor<1x6x8x8xf32>
    return %rows, %plain : tensor<1x4x16x8xf32>, tensor<1x6x8x8xf32>
  }
}

// -----

// Phases are stored for who reads them: a 1x1 convolution reads one, though its result is added to that of one that reads four.
// CHECK-LABEL: func.func @downsample
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>,
// CHECK:         "sparse_pattern.conv"
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      -> tensor<1x4x8x8xf32, #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 2, 2>, array<i64: 0>,
// CHECK:         "sparse_pattern.conv"
// CHECK:         "sparse_pattern.convert_layout"
// CHECK-SAME:      -> tensor<1x4x4x4xf32>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @downsample(%x: tensor<1x4x8x8xf32>, %y: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %w = arith.constant dense<0.5> : tensor<4x4x3x3xf32>
    %v = arith.constant dense<0.5> : tensor<4x4x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x4x4xf32>
    %b = "sparse_pattern.conv"(%y, %v, %a) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>, tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
    return %b : tensor<1x4x4x4xf32>
  }
}

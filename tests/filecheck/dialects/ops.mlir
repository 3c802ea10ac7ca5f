// Every op and attribute prints as it was written, and reads back.

// RUN: niwaki-opt %s | niwaki-opt | FileCheck %s

#dense = #sparse_pattern.dense
#plain = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 32>
#phases = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 2, 2>, array<i64: 0, 1, 2, 3>, 16, 48, 32>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 48, 32>

// CHECK-LABEL: func.func @schemes() attributes {
// CHECK-SAME:    a = #sparse_pattern.dense
// CHECK-SAME:    b = #sparse_pattern.channel
// CHECK-SAME:    c = #sparse_pattern.block_punched<8 : i64, 64 : i64>
// CHECK-SAME:    d = #sparse_pattern.unstructured
// CHECK-SAME:    e = #sparse_pattern.pattern<4 : i64, 8 : i64, 1 : i64>
// CHECK-SAME:    f = #sparse_pattern.block_column_row<16 : i64, 64 : i64>
// CHECK-SAME:    g = #sparse_pattern.n_m<2 : i64, 4 : i64>
func.func @schemes() attributes {
    a = #sparse_pattern.dense,
    b = #sparse_pattern.channel,
    c = #sparse_pattern.block_punched<8, 64>,
    d = #sparse_pattern.unstructured,
    e = #sparse_pattern.pattern<4, 8, 1>,
    f = #sparse_pattern.block_column_row<16, 64>,
    g = #sparse_pattern.n_m<2, 4>} {
  return
}

// CHECK-LABEL: func.func @kernels() attributes {
// CHECK-SAME:    a = #sparse_pattern.gather_gemm<8 : i64, 3 : i64, 4 : i64, 2 : i64>
// CHECK-SAME:    b = #sparse_pattern.depthwise<4 : i64, 1 : i64>
// CHECK-SAME:    c = #sparse_pattern.matvec<64 : i64, 4 : i64, 1 : i64>
// CHECK-SAME:    d = #sparse_pattern.pattern_gemm<256 : i64, 4 : i64, 2 : i64>
// CHECK-SAME:    e = #sparse_pattern.spmm<64 : i64, 8 : i64, 4 : i64, 3 : i64>
// CHECK-SAME:    f = #sparse_pattern.row_gemm<8 : i64, 2 : i64, 64 : i64>
func.func @kernels() attributes {
    a = #sparse_pattern.gather_gemm<8, 3, 4, 2>,
    b = #sparse_pattern.depthwise<4, 1>,
    c = #sparse_pattern.matvec<64, 4, 1>,
    d = #sparse_pattern.pattern_gemm<256, 4, 2>,
    e = #sparse_pattern.spmm<64, 8, 4, 3>,
    f = #sparse_pattern.row_gemm<8, 2, 64>} {
  return
}

// A layout is the encoding of a tensor type.
// CHECK-LABEL: func.func private @layout(
// CHECK-SAME:    tensor<1x3x8x8xf32, #sparse_pattern.planar<
// CHECK-SAME:    array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16 : i64, 96 : i64, 32 : i64>>
func.func private @layout(tensor<1x3x8x8xf32, #plain>)

// CHECK-LABEL: func.func @conv_2d
// CHECK-SAME:    (%[[X:.+]]: tensor<2x6x9x9xf32>, %[[W:.+]]: tensor<4x3x3x3xf32>)
// CHECK:         %[[Y:.+]] = "sparse_pattern.conv"(%[[X]], %[[W]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT:      "sparse_pattern.yield"(%[[ACC]]) : (f32) -> ()
// CHECK-NEXT:    }) {dilations = array<i64: 1, 2>, groups = 2 : i64,
// CHECK-SAME:        padding = array<i64: 1, 2, 1, 2>, scheme = #sparse_pattern.dense, strides = array<i64: 2, 1>}
// CHECK-NEXT:    return %[[Y]]
func.func @conv_2d(%x: tensor<2x6x9x9xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<2x4x5x9xf32> {
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 1>, dilations = array<i64: 1, 2>, padding = array<i64: 1, 2, 1, 2>,
      groups = 2, scheme = #dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x6x9x9xf32>, tensor<4x3x3x3xf32>) -> tensor<2x4x5x9xf32>
  return %y : tensor<2x4x5x9xf32>
}

// CHECK-LABEL: func.func @conv_1d
// CHECK:         "sparse_pattern.conv"
// CHECK:           : (tensor<1x3x8xf32>, tensor<4x3x3xf32>) -> tensor<1x4x6xf32>
func.func @conv_1d(%x: tensor<1x3x8xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x4x6xf32> {
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 0, 0>,
      groups = 1, scheme = #dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x8xf32>, tensor<4x3x3xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// CHECK-LABEL: func.func @conv_3d
// CHECK:         "sparse_pattern.conv"
// CHECK:           : (tensor<1x3x4x5x6xf32>, tensor<4x3x1x3x3xf32>) -> tensor<1x4x4x3x4xf32>
func.func @conv_3d(%x: tensor<1x3x4x5x6xf32>, %w: tensor<4x3x1x3x3xf32>) -> tensor<1x4x4x3x4xf32> {
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1, 1>, dilations = array<i64: 1, 1, 1>,
      padding = array<i64: 0, 0, 0, 0, 0, 0>,
      groups = 1, scheme = #dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x4x5x6xf32>, tensor<4x3x1x3x3xf32>) -> tensor<1x4x4x3x4xf32>
  return %y : tensor<1x4x4x3x4xf32>
}

// Two operands per filter, one per position, a constant from outside the epilogue.
// CHECK-LABEL: func.func @epilogue
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3xf32>, %[[W:.+]]: tensor<4x3xf32>, %[[SCALE:.+]]: tensor<4xf32>, %[[BIAS:.+]]: tensor<4xf32>, %[[RESIDUAL:.+]]: tensor<2x4xf32>)
// CHECK:         %[[ZERO:.+]] = arith.constant 0.0
// CHECK:         "sparse_pattern.linear"(%[[X]], %[[W]], %[[SCALE]], %[[BIAS]], %[[RESIDUAL]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[S:.+]]: f32, %[[B:.+]]: f32, %[[R:.+]]: f32):
// CHECK-NEXT:      %[[SCALED:.+]] = math.fma %[[ACC]], %[[S]], %[[B]]
// CHECK-NEXT:      %[[ADDED:.+]] = arith.addf %[[SCALED]], %[[R]]
// CHECK-NEXT:      %[[RELU:.+]] = arith.maximumf %[[ADDED]], %[[ZERO]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[RELU]])
// CHECK:         operandSegmentSizes = array<i32: 1, 1, 2, 1>, scheme = #sparse_pattern.unstructured
func.func @epilogue(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %scale: tensor<4xf32>, %bias: tensor<4xf32>,
                    %residual: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %y = "sparse_pattern.linear"(%x, %w, %scale, %bias, %residual) ({
  ^bb0(%acc: f32, %s: f32, %b: f32, %r: f32):
    %scaled = math.fma %acc, %s, %b : f32
    %added = arith.addf %scaled, %r : f32
    %relu = arith.maximumf %added, %zero : f32
    "sparse_pattern.yield"(%relu) : (f32) -> ()
  }) {scheme = #sparse_pattern.unstructured, operandSegmentSizes = array<i32: 1, 1, 2, 1>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @pool
// CHECK:         "sparse_pattern.pool"
// CHECK:           kernel = array<i64: 3, 3>, kind = "max"
// CHECK:         "sparse_pattern.pool"
// CHECK:           kernel = array<i64: 4, 4>, kind = "sum"
// CHECK:           -> tensor<1x3xf32>
func.func @pool(%x: tensor<1x3x8x8xf32>) -> tensor<1x3xf32> {
  %max = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "max", kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 1, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  // A window that spans the whole input may drop the spatial dimensions.
  %sum = "sparse_pattern.pool"(%max) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "sum", kernel = array<i64: 4, 4>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x3x4x4xf32>) -> tensor<1x3xf32>
  return %sum : tensor<1x3xf32>
}

// Plain to planar, planar to phases, phases read by a convolution of stride 2, planar to plain.
// CHECK-LABEL: func.func @layouts
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.convert_layout"
// CHECK:         %[[PHASES:.+]] = "sparse_pattern.convert_layout"(%[[PLANAR]])
// CHECK:         %[[HALF:.+]] = "sparse_pattern.conv"(%[[PHASES]],
// CHECK:         "sparse_pattern.convert_layout"(%[[HALF]])
// CHECK-SAME:      -> tensor<1x4x4x4xf32>
func.func @layouts(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32> {
  %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32, #plain>
  %phases = "sparse_pattern.convert_layout"(%planar)
    : (tensor<1x3x8x8xf32, #plain>) -> tensor<1x3x8x8xf32, #phases>
  %half = "sparse_pattern.conv"(%phases, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, scheme = #dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #phases>, tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32, #half>
  %y = "sparse_pattern.convert_layout"(%half) : (tensor<1x4x4x4xf32, #half>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: func.func @packed
// CHECK:         "sparse_pattern.packed_conv"
// CHECK:           full_blocks = 1 : i64, groups = 1 : i64,
// CHECK-SAME:      kernel = #sparse_pattern.gather_gemm<4 : i64, 2 : i64, 1 : i64, 1 : i64>,
// CHECK-SAME:      kernel_size = array<i64: 3, 3>
// CHECK:         "sparse_pattern.packed_linear"
// CHECK:           kernel = #sparse_pattern.matvec<4 : i64, 1 : i64, 1 : i64>
func.func @packed(%x: tensor<1x3x8x8xf32, #plain>, %rows: tensor<1x27xf32>, %values: tensor<108xf32>,
                  %offsets: tensor<33xi32>, %blocks: tensor<1x4xi32>) {
  %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, scheme = #dense, full_blocks = 1,
      kernel = #sparse_pattern.gather_gemm<4, 2, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #plain>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x8x8xf32, #plain>
  %z = "sparse_pattern.packed_linear"(%rows, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #dense, full_blocks = 1, kernel = #sparse_pattern.matvec<4, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x27xf32>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>) -> tensor<1x4xf32>
  return
}

// CHECK-LABEL: func.func @packed_pooled
// CHECK:         "sparse_pattern.packed_pooled_conv"
// CHECK:           kernel = #sparse_pattern.gather_pool<4 : i64, 2 : i64, 1 : i64, 1 : i64, 1 : i64>,
// CHECK-SAME:      window = array<i64: 2, 2>
func.func @packed_pooled(%x: tensor<1x3x8x8xf32, #plain>, %values: tensor<108xf32>, %offsets: tensor<33xi32>,
                         %blocks: tensor<1x4xi32>) {
  %y = "sparse_pattern.packed_pooled_conv"(%x, %values, %offsets, %blocks) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #dense, full_blocks = 1,
      kernel = #sparse_pattern.gather_pool<4, 2, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
    : (tensor<1x3x8x8xf32, #plain>, tensor<108xf32>, tensor<33xi32>, tensor<1x4xi32>)
    -> tensor<1x4x4x4xf32, #half>
  return
}

// Two patterns of two taps; three of the six possible kernels are kept.
// CHECK-LABEL: func.func @packed_patterns
// CHECK:         "sparse_pattern.packed_pattern_conv"(%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK:           kernel = #sparse_pattern.pattern_gemm<2 : i64, 4 : i64, 1 : i64>,
// CHECK-SAME:      kernel_size = array<i64: 3, 3>,
// CHECK-SAME:      padding = array<i64: 1, 1, 1, 1>, patterns = array<i64: 4, 5, 1, 4>,
// CHECK-SAME:      scheme = #sparse_pattern.pattern<2 : i64, 2 : i64, 1 : i64>
func.func @packed_patterns(%x: tensor<1x3x8x8xf32, #plain>, %values: tensor<6xf32>, %filters: tensor<3xi8>,
                           %counts: tensor<1x3x2xi16>, %starts: tensor<1xi32>, %bias: tensor<2xf32>) {
  %y = "sparse_pattern.packed_pattern_conv"(%x, %values, %filters, %counts, %starts, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>,
      groups = 1, kernel_size = array<i64: 3, 3>, patterns = array<i64: 4, 5, 1, 4>,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0>}
    : (tensor<1x3x8x8xf32, #plain>, tensor<6xf32>, tensor<3xi8>, tensor<1x3x2xi16>, tensor<1xi32>, tensor<2xf32>)
    -> tensor<1x2x8x8xf32, #plain>
  return
}

// CHECK-LABEL: func.func @concat
// CHECK:         "sparse_pattern.concat"(%{{.+}}, %{{.+}}) : (tensor<1x4x8x8xf32, {{.+}}>, tensor<1x2x8x8xf32, {{.+}}>) -> tensor<1x6x8x8xf32, {{.+}}>
func.func @concat(%a: tensor<1x4x8x8xf32, #plain>, %b: tensor<1x2x8x8xf32, #plain>) -> tensor<1x6x8x8xf32, #plain> {
  %y = "sparse_pattern.concat"(%a, %b)
    : (tensor<1x4x8x8xf32, #plain>, tensor<1x2x8x8xf32, #plain>) -> tensor<1x6x8x8xf32, #plain>
  return %y : tensor<1x6x8x8xf32, #plain>
}

// A GRU whose new gate multiplies the state after its reset, backwards, with lengths and one number per unit.
// CHECK-LABEL: func.func @recurrent
// CHECK:         %[[Y:.+]]:2 = "sparse_pattern.recurrent"(%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}) ({
// CHECK-NEXT:    ^bb0(%[[RP:.+]]: f32, %[[NP:.+]]: f32, %[[RI:.+]]: f32, %[[NI:.+]]: f32, %[[B:.+]]: f32, %[[S:.+]]: f32):
// CHECK:           "sparse_pattern.next"(%{{.+}}, %{{.+}}) : (f32, f32) -> ()
// CHECK-NEXT:    }) {late = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>, reverse = true,
// CHECK-SAME:        scheme = #sparse_pattern.dense}
// CHECK-NEXT:    return %[[Y]]#0, %[[Y]]#1
func.func @recurrent(%x: tensor<5x2x6xf32>, %w: tensor<6x3xf32>, %begin: tensor<1x2x3xf32>, %lengths: tensor<2xi32>,
                     %bias: tensor<1x3xf32>) -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>) {
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin, %lengths, %bias) ({
  ^bb0(%reset_product: f32, %new_product: f32, %reset_input: f32, %new_input: f32, %b: f32, %state: f32):
    %reset = arith.addf %reset_product, %reset_input : f32
    %kept = arith.mulf %reset, %state : f32
    %total = arith.addf %new_product, %new_input : f32
    %new = arith.addf %total, %b : f32
    "sparse_pattern.next"(%new, %kept) : (f32, f32) -> ()
  }) {reverse = true, late = 1, scheme = #dense, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>}
    : (tensor<5x2x6xf32>, tensor<6x3xf32>, tensor<1x2x3xf32>, tensor<2xi32>, tensor<1x3xf32>)
    -> (tensor<5x2x3xf32>, tensor<1x2x3xf32>)
  return %y, %last : tensor<5x2x3xf32>, tensor<1x2x3xf32>
}

// What the verifier of packed_stream_conv refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<16xi32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op has 3 full blocks of 2}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 3, blocks = 2, in_heads = 1,
      kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<16xi32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<16xi32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op has 2 operands in heads of 1}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 2, in_heads = 2,
      kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<16xi32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<12xi32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op needs whole lines of 4 words and 16 or more, got 12}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 2, in_heads = 1,
      kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<12xi32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<18xi32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op needs whole lines of 4 words and 16 or more, got 18}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 2, in_heads = 1,
      kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<18xi32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<16xf32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op needs words of rank 1 and i32, got tensor<16xf32>}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 2, in_heads = 1,
      kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<16xf32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
func.func @f(%x: tensor<1x2x4xf32, #line>, %words: tensor<16xi32>, %bias: tensor<3xf32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_conv' op needs a kernel of sparse_pattern.thread_gemm or sparse_pattern.thread_depthwise, got #sparse_pattern.gather_gemm<2 : i64, 1 : i64, 1 : i64, 1 : i64>}}
  %y = "sparse_pattern.packed_stream_conv"(%x, %words, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 1, blocks = 2, in_heads = 1,
      kernel = #sparse_pattern.gather_gemm<2, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<16xi32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return
}

// -----

// Of linear layers, too.
func.func @f(%x: tensor<5x4xf32>, %words: tensor<4xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_linear' op needs whole lines of 4 words and 8 or more, got 4}}
  %y = "sparse_pattern.packed_stream_linear"(%x, %words) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, full_blocks = 2, blocks = 2, in_heads = 0,
      kernel = #sparse_pattern.thread_matvec<2, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<4xi32>) -> tensor<5x4xf32>
  return
}

// -----

// Of recurrent layers.
func.func @f(%x: tensor<2x3x5xf32>, %words: tensor<8xi32>, %begin: tensor<1x3x5xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_recurrent' op needs whole lines of 4 words and 12 or more, got 8}}
  %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = f32,
      kernel = #sparse_pattern.thread_recurrence<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<8xi32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return
}

// -----

func.func @f(%x: tensor<2x3x5xf32>, %words: tensor<52xi32>, %begin: tensor<1x3x5xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_recurrent' op has lengths, which its kernel has no buffer for}}
  %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin, %n) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = f32,
      kernel = #sparse_pattern.thread_recurrence<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<2x3x5xf32>, tensor<52xi32>, tensor<1x3x5xf32>, tensor<3xi32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return
}

// -----

func.func @f(%x: tensor<2x3x5xf32>, %words: tensor<52xi32>, %begin: tensor<1x3x5xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_recurrent' op has weights of f64 for inputs of f32}}
  %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = f64,
      kernel = #sparse_pattern.thread_recurrence<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<52xi32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return
}

// -----

func.func @f(%x: tensor<2x3x5xf32>, %words: tensor<52xi32>, %begin: tensor<1x3x5xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_recurrent' op needs weights as a type, got 4 : i64}}
  %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = 4 : i64,
      kernel = #sparse_pattern.thread_recurrence<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<52xi32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return
}

// -----

func.func @f(%x: tensor<2x3x5xf32>, %words: tensor<52xi32>, %begin: tensor<1x3x5xf32>, %n: tensor<3xi32>) {
  // expected-error @+1 {{'sparse_pattern.packed_stream_recurrent' op needs a kernel of sparse_pattern.thread_recurrence, got #sparse_pattern.recurrence<1 : i64, 1 : i64, 1 : i64>}}
  %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = f32,
      kernel = #sparse_pattern.recurrence<1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<52xi32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return
}

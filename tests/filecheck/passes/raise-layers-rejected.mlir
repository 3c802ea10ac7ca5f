// What stays linalg, and why. Where the pass knows a layer that it cannot raise, it says so in a remark; what it does not
// take for a layer it leaves alone in silence.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-raise-layers)'
// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' | FileCheck %s

// Weights that are computed have no zeros to find.
// CHECK-LABEL: func.func @computed_weights
// CHECK:         linalg.conv_1d_ncw_fcw
func.func @computed_weights(%x: tensor<1x3x8xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x4x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x4x6xf32>
  // expected-remark @+1 {{left to IREE: its weights are not constant}}
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x8xf32>, tensor<4x3x3xf32>)
    outs(%zero : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// -----

// CHECK-LABEL: func.func @half_precision
// CHECK:         linalg.conv_1d_ncw_fcw
func.func @half_precision(%x: tensor<1x3x8xf16>) -> tensor<1x4x6xf16> {
  %zero = arith.constant dense<0.0> : tensor<1x4x6xf16>
  %w = arith.constant dense<0.5> : tensor<4x3x3xf16>
  // expected-remark @+1 {{left to IREE: it has elements of f16, and kernels compute in f32}}
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x8xf16>, tensor<4x3x3xf16>)
    outs(%zero : tensor<1x4x6xf16>) -> tensor<1x4x6xf16>
  return %y : tensor<1x4x6xf16>
}

// -----

// Kernels accumulate in f32 and store it.
// CHECK-LABEL: func.func @other_result
// CHECK:         linalg.conv_1d_ncw_fcw
func.func @other_result(%x: tensor<1x3x8xf32>) -> tensor<1x4x6xf64> {
  %zero = arith.constant dense<0.0> : tensor<1x4x6xf64>
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  // expected-remark @+1 {{it has elements of f64, and kernels compute in f32}}
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<1x3x8xf32>, tensor<4x3x3xf32>)
    outs(%zero : tensor<1x4x6xf64>) -> tensor<1x4x6xf64>
  return %y : tensor<1x4x6xf64>
}

// -----

// CHECK-LABEL: func.func @nothing
// CHECK:         linalg.matmul
func.func @nothing(%x: tensor<2x4xf32>, %start: tensor<2x0xf32>) -> tensor<2x0xf32> {
  %w = arith.constant dense<0.5> : tensor<4x0xf32>
  // expected-remark @+1 {{left to IREE: there is nothing to compute with a tensor of [4, 0] elements}}
  %y = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x0xf32>) outs(%start : tensor<2x0xf32>) -> tensor<2x0xf32>
  return %y : tensor<2x0xf32>
}

// -----

// CHECK-LABEL: func.func @dynamic
// CHECK:         linalg.conv_1d_ncw_fcw
func.func @dynamic(%x: tensor<?x3x8xf32>, %start: tensor<?x4x6xf32>) -> tensor<?x4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<4x3x3xf32>
  // expected-remark @+1 {{left to IREE: it has a dynamic shape, tensor<?x3x8xf32>}}
  %y = linalg.conv_1d_ncw_fcw ins(%x, %w : tensor<?x3x8xf32>, tensor<4x3x3xf32>)
    outs(%start : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  return %y : tensor<?x4x6xf32>
}

// -----

// CHECK-LABEL: func.func @channels_last
// CHECK:         linalg.conv_2d_nhwc_hwcf
func.func @channels_last(%x: tensor<1x8x8x3xf32>) -> tensor<1x6x6x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x6x6x4xf32>
  %w = arith.constant dense<0.5> : tensor<3x3x3x4xf32>
  // expected-remark @+1 {{left to IREE: linalg.conv_2d_nhwc_hwcf is no convolution of this dialect, which has channels first}}
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>)
    outs(%zero : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  return %y : tensor<1x6x6x4xf32>
}

// -----

// Padding that is no padding of a convolution stays: of another value, computed, or of channels. The layer reads it.
// CHECK-LABEL: func.func @other_padding
// CHECK-COUNT-3: tensor.pad
// CHECK:         "sparse_pattern.conv"
// CHECK:           padding = array<i64: 0, 0>
func.func @other_padding(%x: tensor<1x3x8xf32>, %value: f32) -> tensor<1x4x14xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %start = arith.constant dense<0.0> : tensor<1x4x14xf32>
  %w = arith.constant dense<0.5> : tensor<4x5x3xf32>
  %computed = tensor.pad %x low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %value : f32
  } : tensor<1x3x8xf32> to tensor<1x3x10xf32>
  %ones = tensor.pad %computed low[0, 0, 3] high[0, 0, 3] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %one : f32
  } : tensor<1x3x10xf32> to tensor<1x3x16xf32>
  %channels = tensor.pad %ones low[0, 1, 0] high[0, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<1x3x16xf32> to tensor<1x5x16xf32>
  %y = linalg.conv_1d_ncw_fcw ins(%channels, %w : tensor<1x5x16xf32>, tensor<4x5x3xf32>)
    outs(%start : tensor<1x4x14xf32>) -> tensor<1x4x14xf32>
  return %y : tensor<1x4x14xf32>
}

// -----

// Zero is no padding of a maximum: it would hide negative values.
// CHECK-LABEL: func.func @max_of_zero_padding
// CHECK:         tensor.pad
// CHECK:         "sparse_pattern.pool"
// CHECK:           padding = array<i64: 0, 0>
func.func @max_of_zero_padding(%x: tensor<1x3x8xf32>) -> tensor<1x3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant dense<0xFF800000> : tensor<1x3x8xf32>
  %window = tensor.empty() : tensor<3xf32>
  %padded = tensor.pad %x low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    tensor.yield %zero : f32
  } : tensor<1x3x8xf32> to tensor<1x3x10xf32>
  %y = linalg.pooling_ncw_max ins(%padded, %window : tensor<1x3x10xf32>, tensor<3xf32>)
    outs(%least : tensor<1x3x8xf32>) -> tensor<1x3x8xf32>
  return %y : tensor<1x3x8xf32>
}

// -----

// A maximum that starts from zero is a pooling and a ReLU in one.
// CHECK-LABEL: func.func @max_from_zero
// CHECK:         linalg.pooling_ncw_max
func.func @max_from_zero(%x: tensor<1x3x8xf32>) -> tensor<1x3x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x3x6xf32>
  %window = tensor.empty() : tensor<3xf32>
  // expected-remark @+1 {{left to IREE: it does not start from -inf}}
  %y = linalg.pooling_ncw_max ins(%x, %window : tensor<1x3x8xf32>, tensor<3xf32>)
    outs(%zero : tensor<1x3x6xf32>) -> tensor<1x3x6xf32>
  return %y : tensor<1x3x6xf32>
}

// -----

// CHECK-LABEL: func.func @sum_onto_tensor
// CHECK:         linalg.pooling_ncw_sum
func.func @sum_onto_tensor(%x: tensor<1x3x8xf32>, %start: tensor<1x3x6xf32>) -> tensor<1x3x6xf32> {
  %window = tensor.empty() : tensor<3xf32>
  // expected-remark @+1 {{left to IREE: it does not start from 0.0}}
  %y = linalg.pooling_ncw_sum ins(%x, %window : tensor<1x3x8xf32>, tensor<3xf32>)
    outs(%start : tensor<1x3x6xf32>) -> tensor<1x3x6xf32>
  return %y : tensor<1x3x6xf32>
}

// -----

// CHECK-LABEL: func.func @pool_channels_last
// CHECK:         linalg.pooling_ndhwc_max
func.func @pool_channels_last(%x: tensor<1x4x4x4x3xf32>) -> tensor<1x2x2x2x3xf32> {
  %least = arith.constant dense<0xFF800000> : tensor<1x2x2x2x3xf32>
  %window = tensor.empty() : tensor<3x3x3xf32>
  // expected-remark @+1 {{left to IREE: its input is not transposed from channels first}}
  %y = linalg.pooling_ndhwc_max ins(%x, %window : tensor<1x4x4x4x3xf32>, tensor<3x3x3xf32>)
    outs(%least : tensor<1x2x2x2x3xf32>) -> tensor<1x2x2x2x3xf32>
  return %y : tensor<1x2x2x2x3xf32>
}

// -----

// CHECK-LABEL: func.func @pool_to_channels_last
// CHECK:         linalg.pooling_ndhwc_max
func.func @pool_to_channels_last(%x: tensor<1x3x4x4x4xf32>) -> tensor<1x2x2x2x3xf32> {
  %least = arith.constant dense<0xFF800000> : tensor<1x2x2x2x3xf32>
  %window = tensor.empty() : tensor<3x3x3xf32>
  %last_empty = tensor.empty() : tensor<1x4x4x4x3xf32>
  %last = linalg.transpose ins(%x : tensor<1x3x4x4x4xf32>) outs(%last_empty : tensor<1x4x4x4x3xf32>)
    permutation = [0, 2, 3, 4, 1]
  // expected-remark @+1 {{left to IREE: its result is not transposed to channels first}}
  %y = linalg.pooling_ndhwc_max ins(%last, %window : tensor<1x4x4x4x3xf32>, tensor<3x3x3xf32>)
    outs(%least : tensor<1x2x2x2x3xf32>) -> tensor<1x2x2x2x3xf32>
  return %y : tensor<1x2x2x2x3xf32>
}

// -----

// Fewer windows than there is room for.
// CHECK-LABEL: func.func @fewer_windows
// CHECK:         linalg.pooling_ncw_max
func.func @fewer_windows(%x: tensor<1x3x8xf32>) -> tensor<1x3x4xf32> {
  %least = arith.constant dense<0xFF800000> : tensor<1x3x4xf32>
  %window = tensor.empty() : tensor<3xf32>
  // expected-remark @+1 {{left to IREE: its windows leave out the end of their input: [4] of [8]}}
  %y = linalg.pooling_ncw_max ins(%x, %window : tensor<1x3x8xf32>, tensor<3xf32>)
    outs(%least : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  return %y : tensor<1x3x4xf32>
}

// -----

// An attention score has no weights.
// CHECK-LABEL: func.func @computed_factors
// CHECK:         linalg.matmul
func.func @computed_factors(%a: tensor<4x3xf32>, %b: tensor<3x2xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  // expected-remark @+1 {{left to IREE: its second factor is computed, not stored as weights}}
  %y = linalg.matmul ins(%a, %b : tensor<4x3xf32>, tensor<3x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func.func @first_factor_transposed
// CHECK:         linalg.matmul
func.func @first_factor_transposed(%a: tensor<3x4xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %w = arith.constant dense<0.5> : tensor<3x2xf32>
  // expected-remark @+1 {{left to IREE: it is no plain product of two matrices}}
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%a, %w : tensor<3x4xf32>, tensor<3x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// Attention multiplies images by other images.
// CHECK-LABEL: func.func @computed_factors_of_images
// CHECK:         linalg.batch_matmul
func.func @computed_factors_of_images(%a: tensor<2x4x3xf32>, %b: tensor<2x3x2xf32>) -> tensor<2x4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4x2xf32>
  // expected-remark @+1 {{left to IREE: its second factor is computed, not stored as weights}}
  %y = linalg.batch_matmul ins(%a, %b : tensor<2x4x3xf32>, tensor<2x3x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// -----

// A factor that ops compute from constants: along rows instead of images, swapped, doubled.
#rows = affine_map<(b, k, n) -> (b, n)>
#swapped = affine_map<(b, k, n) -> (n, k)>
#matrix = affine_map<(b, k, n) -> (k, n)>
#each = affine_map<(b, k, n) -> (b, k, n)>
// CHECK-LABEL: func.func @other_repetitions
// CHECK-COUNT-4: linalg.batch_matmul
func.func @other_repetitions(%a: tensor<3x4x3xf32>) -> (tensor<3x4x3xf32>, tensor<3x4x3xf32>, tensor<3x4x3xf32>, tensor<3x4x3xf32>) {
  %zero = arith.constant dense<0.0> : tensor<3x4x3xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %empty = tensor.empty() : tensor<3x3x3xf32>
  %named = linalg.broadcast ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3x3xf32>) dimensions = [1]
  %along = linalg.generic {indexing_maps = [#rows, #each], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3x3xf32>) {
  ^bb0(%0: f32, %1: f32):
    linalg.yield %0 : f32
  } -> tensor<3x3x3xf32>
  %other = linalg.generic {indexing_maps = [#swapped, #each], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3x3xf32>) {
  ^bb0(%0: f32, %1: f32):
    linalg.yield %0 : f32
  } -> tensor<3x3x3xf32>
  %doubled = linalg.generic {indexing_maps = [#matrix, #each], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3x3xf32>) {
  ^bb0(%0: f32, %1: f32):
    %2 = arith.addf %0, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<3x3x3xf32>
  // expected-remark @+1 {{its second factor is computed, not stored as weights}}
  %y = linalg.batch_matmul ins(%a, %named : tensor<3x4x3xf32>, tensor<3x3x3xf32>) outs(%zero : tensor<3x4x3xf32>) -> tensor<3x4x3xf32>
  // expected-remark @+1 {{its second factor is computed, not stored as weights}}
  %z = linalg.batch_matmul ins(%a, %along : tensor<3x4x3xf32>, tensor<3x3x3xf32>) outs(%zero : tensor<3x4x3xf32>) -> tensor<3x4x3xf32>
  // expected-remark @+1 {{its second factor is computed, not stored as weights}}
  %u = linalg.batch_matmul ins(%a, %other : tensor<3x4x3xf32>, tensor<3x3x3xf32>) outs(%zero : tensor<3x4x3xf32>) -> tensor<3x4x3xf32>
  // expected-remark @+1 {{its second factor is computed, not stored as weights}}
  %v = linalg.batch_matmul ins(%a, %doubled : tensor<3x4x3xf32>, tensor<3x3x3xf32>) outs(%zero : tensor<3x4x3xf32>) -> tensor<3x4x3xf32>
  return %y, %z, %u, %v : tensor<3x4x3xf32>, tensor<3x4x3xf32>, tensor<3x4x3xf32>, tensor<3x4x3xf32>
}

// -----

// CHECK-LABEL: func.func @factor_of_each_image
// CHECK:         linalg.batch_matmul
func.func @factor_of_each_image(%a: tensor<2x4x1xf32>) -> tensor<2x4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4x2xf32>
  %w = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  // expected-remark @+1 {{left to IREE: its second factor is another one for each of 2 images}}
  %y = linalg.batch_matmul ins(%a, %w : tensor<2x4x1xf32>, tensor<2x1x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// -----

// CHECK-LABEL: func.func @images_transposed
// CHECK:         linalg.batch_matmul
func.func @images_transposed(%a: tensor<2x3x4xf32>) -> tensor<2x4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4x2xf32>
  %w = arith.constant dense<0.5> : tensor<2x3x2xf32>
  // expected-remark @+1 {{left to IREE: it is no plain product of two matrices}}
  %y = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, k, m)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
    ins(%a, %w : tensor<2x3x4xf32>, tensor<2x3x2xf32>) outs(%zero : tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// -----

// Kernels are called from the top of a function: what runs in a loop or under a condition is left there.
// CHECK-LABEL: func.func @nested
// CHECK-NOT:     sparse_pattern
// CHECK:         return
func.func @nested(%x: tensor<4x4xf32>, %line: tensor<1x4x8xf32>, %count: index, %choice: i1) -> (tensor<4x4xf32>, tensor<1x4x8xf32>) {
  %first = arith.constant 0 : index
  %step = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : tensor<4x4xf32>
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %line_zero = arith.constant dense<0.0> : tensor<1x4x8xf32>
  %kernel = arith.constant dense<0.5> : tensor<4x4x1xf32>
  %y = scf.for %i = %first to %count step %step iter_args(%a = %x) -> tensor<4x4xf32> {
    %b = scf.if %choice -> tensor<4x4xf32> {
      // expected-remark @+1 {{left to IREE: it is inside scf.for}}
      %0 = linalg.matmul ins(%a, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zero : tensor<4x4xf32>) -> tensor<4x4xf32>
      scf.yield %0 : tensor<4x4xf32>
    } else {
      scf.yield %a : tensor<4x4xf32>
    }
    scf.yield %b : tensor<4x4xf32>
  }
  %z = scf.if %choice -> tensor<1x4x8xf32> {
    // expected-remark @+1 {{left to IREE: it is inside scf.if}}
    %0 = linalg.conv_1d_ncw_fcw ins(%line, %kernel : tensor<1x4x8xf32>, tensor<4x4x1xf32>)
      outs(%line_zero : tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
    scf.yield %0 : tensor<1x4x8xf32>
  } else {
    scf.yield %line : tensor<1x4x8xf32>
  }
  return %y, %z : tensor<4x4xf32>, tensor<1x4x8xf32>
}

// -----

// A transposition that transposes nothing is not one of the weights'.
// CHECK-LABEL: func.func @not_transposed
// CHECK:         linalg.matmul
func.func @not_transposed(%a: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x3xf32>
  %w = arith.constant dense<0.5> : tensor<3x3xf32>
  %empty = tensor.empty() : tensor<3x3xf32>
  %same = linalg.transpose ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3xf32>) permutation = [0, 1]
  // expected-remark @+1 {{left to IREE: its second factor is computed, not stored as weights}}
  %y = linalg.matmul ins(%a, %same : tensor<4x3xf32>, tensor<3x3xf32>) outs(%zero : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// These look like layers by their loops and ops, but compute something else: a square, a product with the accumulator,
// a sum that forgets the accumulator, a result that is not the sum, a transposed result, a sum along rows alone.
#conv_in = affine_map<(n, g, f, o, c, t) -> (n, g, c, o + t)>
#conv_w = affine_map<(n, g, f, o, c, t) -> (g, f, c, t)>
#conv_out = affine_map<(n, g, f, o, c, t) -> (n, g, f, o)>
#all = affine_map<(n, c, h, w) -> (n, c, h, w)>
#pixels = affine_map<(n, c, h, w) -> (n, c)>
#swapped = affine_map<(n, c, h, w) -> (c, n)>
#rows = affine_map<(n, c, h, w) -> (n, c, h)>
// CHECK-LABEL: func.func @look_alikes
// CHECK-NOT:     sparse_pattern
// CHECK:         return
func.func @look_alikes(%x: tensor<1x2x2x9xf32>, %plane: tensor<3x3x7x5xf32>)
    -> (tensor<1x2x3x7xf32>, tensor<1x2x3x7xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3x7xf32>) {
  %conv_start = arith.constant dense<0.0> : tensor<1x2x3x7xf32>
  %start = arith.constant dense<0.0> : tensor<3x3xf32>
  %row_start = arith.constant dense<0.0> : tensor<3x3x7xf32>
  %weights = arith.constant dense<0.5> : tensor<2x3x2x3xf32>
  %square = linalg.generic {indexing_maps = [#conv_in, #conv_w, #conv_out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %weights : tensor<1x2x2x9xf32>, tensor<2x3x2x3xf32>) outs(%conv_start : tensor<1x2x3x7xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %a : f32
    %1 = arith.addf %0, %acc : f32
    linalg.yield %1 : f32
  } -> tensor<1x2x3x7xf32>
  %product = linalg.generic {indexing_maps = [#conv_in, #conv_w, #conv_out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %weights : tensor<1x2x2x9xf32>, tensor<2x3x2x3xf32>) outs(%conv_start : tensor<1x2x3x7xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %acc : f32
    %1 = arith.addf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<1x2x3x7xf32>
  %doubled = linalg.generic {indexing_maps = [#all, #pixels], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%plane : tensor<3x3x7x5xf32>) outs(%start : tensor<3x3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<3x3xf32>
  %last = linalg.generic {indexing_maps = [#all, #pixels], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%plane : tensor<3x3x7x5xf32>) outs(%start : tensor<3x3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %a : f32
  } -> tensor<3x3xf32>
  %transposed = linalg.generic {indexing_maps = [#all, #swapped], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%plane : tensor<3x3x7x5xf32>) outs(%start : tensor<3x3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<3x3xf32>
  %along_rows = linalg.generic {indexing_maps = [#all, #rows], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%plane : tensor<3x3x7x5xf32>) outs(%row_start : tensor<3x3x7xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<3x3x7xf32>
  return %square, %product, %doubled, %last, %transposed, %along_rows
    : tensor<1x2x3x7xf32>, tensor<1x2x3x7xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3x7xf32>
}

// -----

// A window whose result has images and channels the other way round.
#in = affine_map<(n, c, o, t) -> (n, c, o + t)>
#window = affine_map<(n, c, o, t) -> (t)>
#out = affine_map<(n, c, o, t) -> (c, n, o)>
// CHECK-LABEL: func.func @transposed_window
// CHECK-NOT:     sparse_pattern
// CHECK:         return
func.func @transposed_window(%x: tensor<3x3x9xf32>) -> tensor<3x3x7xf32> {
  %start = arith.constant dense<0.0> : tensor<3x3x7xf32>
  %window = tensor.empty() : tensor<3xf32>
  %y = linalg.generic {indexing_maps = [#in, #window, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %window : tensor<3x3x9xf32>, tensor<3xf32>) outs(%start : tensor<3x3x7xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<3x3x7xf32>
  return %y : tensor<3x3x7xf32>
}

// -----

// Buffers are for IREE alone.
// CHECK-LABEL: func.func @buffers
// CHECK:         linalg.matmul
func.func @buffers(%a: memref<4x3xf32>, %b: memref<3x2xf32>, %c: memref<4x2xf32>) {
  linalg.matmul ins(%a, %b : memref<4x3xf32>, memref<3x2xf32>) outs(%c : memref<4x2xf32>)
  return
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-compact-storage)' | FileCheck %s

#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
#phases = #sparse_pattern.planar<array<i64: 2>, array<i64: 1>, array<i64: 2>, array<i64: 0, 1>, 4, 4, 16>
#half = #sparse_pattern.planar<array<i64: 2>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 4, 16>

// Two filters share the columns that either keeps: their values lie column after column. The third is a lower block.
// Offsets count in 16 bits from the first tap of the first channel: planes of 8, taps at 0, 1 and 2. Six more follow, for
// kernels that fetch ahead. Blocks: first filter, columns from and to, first value.
// CHECK-LABEL: func.func @conv
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x4xf32, {{.+}}>, %[[BIAS:.+]]: tensor<3xf32>)
// CHECK-NOT:     tensor<3x2x3xf32>
// CHECK:         %[[VALUES:.+]] = arith.constant dense<[1.0{{.*}}, 4.0{{.*}}, 2.0{{.*}}, 5.0{{.*}}, 3.0{{.*}}, 6.0{{.*}}, 7.0{{.*}}, 8.0{{.*}}, 9.0{{.*}}]> : tensor<9xf32>
// CHECK-NEXT:    %[[OFFSETS:.+]] = arith.constant dense<[0, 2, 10, 1, 8, 9, 0, 0, 0, 0, 0, 0]> : tensor<12xi16>
// CHECK-NEXT:    %[[BLOCKS:.+]] = arith.constant dense<{{\[\[}}0, 0, 3, 0], [2, 3, 6, 6]]> : tensor<2x4xi32>
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.packed_conv"(%[[X]], %[[VALUES]], %[[OFFSETS]], %[[BLOCKS]], %[[BIAS]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[SUM]])
// CHECK-NEXT:    }) {dilations = array<i64: 1>, full_blocks = 1 : i64, groups = 1 : i64,
// CHECK-SAME:        kernel = #sparse_pattern.gather_gemm<2 : i64, 1 : i64, 1 : i64, 1 : i64>, kernel_size = array<i64: 3>,
// CHECK-SAME:        padding = array<i64: 1, 1>, scheme = #sparse_pattern.block_punched<2 : i64, 1 : i64>
// CHECK-NEXT:    return %[[Y]]
func.func @conv(%x: tensor<1x2x4xf32, #line>, %bias: tensor<3xf32>) -> tensor<1x3x4xf32, #line> {
  %w = arith.constant dense<[
    [[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]],
    [[4.0, 0.0, 5.0], [0.0, 0.0, 6.0]],
    [[0.0, 7.0, 0.0], [8.0, 9.0, 0.0]]]> : tensor<3x2x3xf32>
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.block_punched<2, 1>, kernel = #sparse_pattern.gather_gemm<2, 1, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<3x2x3xf32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return %y : tensor<1x3x4xf32, #line>
}

// A kernel of single filters takes the input's channels in parts, here one each: both filters' columns of the first channel come
// before those of the second.
// CHECK-LABEL: func.func @parts
// CHECK:         arith.constant dense<[1.0{{.*}}, 2.0{{.*}}, 4.0{{.*}}, 3.0{{.*}}, 5.0{{.*}}]> : tensor<5xf32>
// CHECK-NEXT:    arith.constant dense<[0, 2, 1, 10, 8, 0, 0, 0, 0, 0, 0]> : tensor<11xi16>
// CHECK-NEXT:    arith.constant dense<{{\[\[}}0, 0, 2, 0], [1, 2, 3, 2], [0, 3, 4, 3], [1, 4, 5, 4]]> : tensor<4x4xi32>
// CHECK:         full_blocks = 4 : i64
func.func @parts(%x: tensor<1x2x4xf32, #line>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<[
    [[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]],
    [[0.0, 4.0, 0.0], [5.0, 0.0, 0.0]]]> : tensor<2x2x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.unstructured, kernel = #sparse_pattern.spmm<2, 1, 1, 2>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x2x3xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}

// A stride of 2 reads phase planes of 4 elements, two a channel: taps 0 and 2 even pixels, tap 1 the odd ones before.
// Groups are in the offsets too: the second filter reads the second channel alone.
// CHECK-LABEL: func.func @strided_groups
// CHECK:         arith.constant dense<[3, 0, 4, 11, 8, 12, 0, 0, 0, 0, 0, 0]> : tensor<12xi16>
// CHECK-NEXT:    arith.constant dense<{{\[\[}}0, 0, 3, 0], [1, 3, 6, 3]]> : tensor<2x4xi32>
func.func @strided_groups(%x: tensor<1x2x4xf32, #phases>) -> tensor<1x2x2xf32, #half> {
  %w = arith.constant dense<[[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]> : tensor<2x1x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 2>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 2,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.gather_gemm<1, 1, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #phases>, tensor<2x1x3xf32>) -> tensor<1x2x2xf32, #half>
  return %y : tensor<1x2x2xf32, #half>
}

// The depthwise kernel takes one channel after the other, all taps of each.
// CHECK-LABEL: func.func @depthwise
// CHECK:         arith.constant dense<[1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}, 4.0{{.*}}, 5.0{{.*}}, 6.0{{.*}}]> : tensor<6xf32>
// CHECK:         full_blocks = 2 : i64, groups = 2 : i64, kernel = #sparse_pattern.depthwise
func.func @depthwise(%x: tensor<1x2x4xf32, #line>) -> tensor<1x2x4xf32, #line> {
  %w = arith.constant dense<[[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]> : tensor<2x1x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 2,
      scheme = #sparse_pattern.dense, kernel = #sparse_pattern.depthwise<1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<2x1x3xf32>) -> tensor<1x2x4xf32, #line>
  return %y : tensor<1x2x4xf32, #line>
}

// The offsets of a linear layer are the numbers of the inputs. A constant that the epilogue uses comes along.
// CHECK-LABEL: func.func @linear
// CHECK:         arith.constant dense<[1.0{{.*}}, 3.0{{.*}}, 2.0{{.*}}, 4.0{{.*}}]> : tensor<4xf32>
// CHECK-NEXT:    arith.constant dense<[1, 3, 0, 0, 0, 0, 0, 0]> : tensor<8xi16>
// CHECK-NEXT:    arith.constant dense<{{\[\[}}0, 0, 2, 0]]> : tensor<1x4xi32>
// CHECK-NEXT:    "sparse_pattern.packed_linear"
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT:      %[[ZERO:.+]] = arith.constant 0.0
// CHECK-NEXT:      arith.maximumf %[[ACC]], %[[ZERO]]
func.func @linear(%x: tensor<5x4xf32>) -> tensor<5x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[0.0, 1.0, 0.0, 2.0], [0.0, 3.0, 0.0, 4.0]]> : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    %0 = arith.maximumf %acc, %zero : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.channel, kernel = #sparse_pattern.matvec<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// Nothing is kept: the one block has no columns, but is there, so that results get written. A buffer needs an element.
// CHECK-LABEL: func.func @all_zero
// CHECK:         arith.constant dense<0.0{{.*}}> : tensor<1xf32>
// CHECK-NEXT:    arith.constant dense<0> : tensor<6xi16>
// CHECK-NEXT:    arith.constant dense<0> : tensor<1x4xi32>
func.func @all_zero(%x: tensor<5x4xf32>) -> tensor<5x2xf32> {
  %w = arith.constant dense<0.0> : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.channel, kernel = #sparse_pattern.matvec<2, 4, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<5x4xf32>, tensor<2x4xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// Kernels with patterns go group after group of two filters, in them channel after channel, then by pattern. The first pattern
// is the more frequent one, taps 1 and 2; the other one is taps 0 and 1. For each group, channel and pattern: how many come next.
// Kernels of a group: in channel 0 filter 1 has the first pattern and filter 0 the second, in channel 1 both have the first.
// CHECK-LABEL: func.func @patterns
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x4xf32, {{.+}}>, %[[BIAS:.+]]: tensor<3xf32>)
// CHECK-NOT:     tensor<3x2x3xf32>
// CHECK:         %[[VALUES:.+]] = arith.constant dense<[5.0{{.*}}, 6.0{{.*}}, 1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}, 4.0{{.*}}, 7.0{{.*}}, 8.0{{.*}}, 9.0{{.*}}, 0.0{{.*}}]> : tensor<10xf32>
// CHECK-NEXT:    %[[FILTERS:.+]] = arith.constant dense<[1, 0, 0, 1, 0]> : tensor<5xi8>
// CHECK-NEXT:    %[[COUNTS:.+]] = arith.constant dense<{{\[\[\[}}1, 1], [2, 0]{{\], \[\[}}0, 1], [0, 0]]]> : tensor<2x2x2xi16>
// CHECK-NEXT:    %[[STARTS:.+]] = arith.constant dense<[0, 4]> : tensor<2xi32>
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.packed_pattern_conv"(%[[X]], %[[VALUES]], %[[FILTERS]], %[[COUNTS]], %[[STARTS]], %[[BIAS]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[SUM]])
// CHECK-NEXT:    }) {dilations = array<i64: 1>, groups = 1 : i64, kernel = #sparse_pattern.pattern_gemm<2 : i64, 1 : i64, 1 : i64>,
// CHECK-SAME:        kernel_size = array<i64: 3>,
// CHECK-SAME:        padding = array<i64: 1, 1>, patterns = array<i64: 1, 2, 0, 1>, scheme = #sparse_pattern.pattern<2 : i64, 2 : i64, 1 : i64>
// CHECK-NEXT:    return %[[Y]]
func.func @patterns(%x: tensor<1x2x4xf32, #line>, %bias: tensor<3xf32>) -> tensor<1x3x4xf32, #line> {
  %w = arith.constant dense<[
    [[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]],
    [[0.0, 5.0, 6.0], [0.0, 7.0, 8.0]],
    [[9.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]> : tensor<3x2x3xf32>
  %y = "sparse_pattern.conv"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<3x2x3xf32>, tensor<3xf32>) -> tensor<1x3x4xf32, #line>
  return %y : tensor<1x3x4xf32, #line>
}

// Without kernels: counts of a pattern that none has, and a kernel that none of them counts, since buffers need an element.
// CHECK-LABEL: func.func @no_patterns
// CHECK:         arith.constant dense<0.0{{.*}}> : tensor<2xf32>
// CHECK-NEXT:    arith.constant dense<0> : tensor<1xi8>
// CHECK-NEXT:    arith.constant dense<0> : tensor<2x2x1xi16>
// CHECK-NEXT:    arith.constant dense<0> : tensor<2xi32>
// CHECK:         patterns = array<i64: 0, 1>
func.func @no_patterns(%x: tensor<1x2x4xf32, #line>) -> tensor<1x3x4xf32, #line> {
  %w = arith.constant dense<0.0> : tensor<3x2x3xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
      scheme = #sparse_pattern.pattern<2, 2, 1>, kernel = #sparse_pattern.pattern_gemm<2, 1, 1>,
      operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x2x4xf32, #line>, tensor<3x2x3xf32>) -> tensor<1x3x4xf32, #line>
  return %y : tensor<1x3x4xf32, #line>
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-fuse-epilogues)' | FileCheck %s

#map = affine_map<(n, f) -> (n, f)>
#filter = affine_map<(n, f) -> (f)>
#row = affine_map<(n, f) -> (0, f)>
#one = affine_map<(n, f) -> (0, 0)>
#space = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (0, c, 0, 0)>

// A ReLU: its zero comes along.
// CHECK-LABEL: func.func @relu
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3xf32>, %[[W:.+]]: tensor<4x3xf32>)
// CHECK-NOT:     linalg
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%[[X]], %[[W]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT:      %[[ZERO:.+]] = arith.constant 0.0
// CHECK-NEXT:      %[[POSITIVE:.+]] = arith.cmpf ugt, %[[ACC]], %[[ZERO]]
// CHECK-NEXT:      %[[RELU:.+]] = arith.select %[[POSITIVE]], %[[ACC]], %[[ZERO]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[RELU]])
// CHECK:         return %[[Y]]
func.func @relu(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %relu = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %positive = arith.cmpf ugt, %a, %zero : f32
    %0 = arith.select %positive, %a, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %relu : tensor<2x4xf32>
}

// One tail after the other, behind an epilogue that was there. A tail may read the layer twice, values per filter (a
// constant of any shape becomes a vector), values per position, and uniform constants (which become scalars).
// CHECK-LABEL: func.func @chain
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3xf32>, %[[W:.+]]: tensor<4x3xf32>, %[[BIAS:.+]]: tensor<4xf32>, %[[SCALE:.+]]: tensor<4xf32>, %[[RESIDUAL:.+]]: tensor<2x4xf32>)
// CHECK:         %[[SHIFT:.+]] = arith.constant dense<[1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}, 4.0{{.*}}]> : tensor<4xf32>
// CHECK:         "sparse_pattern.linear"(%[[X]], %[[W]], %[[BIAS]], %[[SCALE]], %[[SHIFT]], %[[RESIDUAL]]) ({
// CHECK-NEXT:    ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32, %[[S:.+]]: f32, %[[T:.+]]: f32, %[[R:.+]]: f32):
// CHECK-NEXT:      %[[BIASED:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT:      %[[SCALED:.+]] = arith.mulf %[[BIASED]], %[[S]]
// CHECK-NEXT:      %[[SHIFTED:.+]] = arith.addf %[[T]], %[[SCALED]]
// CHECK-NEXT:      %[[HALF:.+]] = arith.constant 5.0{{.*}}e-01 : f32
// CHECK-NEXT:      %[[SQUARE:.+]] = arith.mulf %[[SHIFTED]], %[[SHIFTED]] fastmath<contract>
// CHECK-NEXT:      %[[HALVED:.+]] = arith.mulf %[[SQUARE]], %[[HALF]]
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[R]], %[[HALVED]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[SUM]])
// CHECK:           operandSegmentSizes = array<i32: 1, 1, 3, 1>, scheme = #sparse_pattern.channel
// CHECK-NOT:     linalg
func.func @chain(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %bias: tensor<4xf32>, %scale: tensor<4xf32>,
                 %residual: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w, %bias) ({
  ^bb0(%acc: f32, %b: f32):
    %0 = arith.addf %acc, %b : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.channel, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %shift = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %shifted = linalg.generic {indexing_maps = [#map, #filter, #row, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y, %scale, %shift : tensor<2x4xf32>, tensor<4xf32>, tensor<1x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %s: f32, %t: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    %1 = arith.addf %t, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  %half = arith.constant dense<0.5> : tensor<1x1xf32>
  %square = linalg.generic {indexing_maps = [#map, #map, #one, #map], iterator_types = ["parallel", "parallel"]}
    ins(%shifted, %shifted, %half : tensor<2x4xf32>, tensor<2x4xf32>, tensor<1x1xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %h: f32, %out: f32):
    %0 = arith.mulf %a, %b fastmath<contract> : f32
    %1 = arith.mulf %0, %h : f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%residual, %square : tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%r: f32, %a: f32, %out: f32):
    %0 = arith.addf %r, %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %sum : tensor<2x4xf32>
}

// A sum of two layers goes to the one computed last, which reads the other's result. The fused layer takes the tail's place,
// so that what the tail reads is there, and keeps the layer's name.
// CHECK-LABEL: func.func @sum_of_layers
// CHECK:         %first = "sparse_pattern.linear"
// CHECK:         %last = "sparse_pattern.linear"(%{{.+}}, %{{.+}}, %first) ({
// CHECK:           arith.addf
// CHECK-NOT:     linalg
func.func @sum_of_layers(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %v: tensor<4x3xf32>) -> tensor<2x4xf32> {
  %first = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32> loc("first")
  %last = "sparse_pattern.linear"(%x, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32> loc("last")
  %empty = tensor.empty() : tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%last, %first : tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  return %sum : tensor<2x4xf32>
}

// An average divides the sum of a pooling; a convolution's attributes stay.
// CHECK-LABEL: func.func @pool_and_conv
// CHECK:         "sparse_pattern.pool"
// CHECK:           arith.divf
// CHECK:           kernel = array<i64: 2, 2>, kind = "sum"
// CHECK:         "sparse_pattern.conv"
// CHECK:           math.tanh
// CHECK:           dilations = array<i64: 2, 1>, groups = 2 : i64
// CHECK-SAME:      strides = array<i64: 1, 3>
// CHECK-NOT:     linalg
func.func @pool_and_conv(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x1xf32>) -> (tensor<1x4x7x7xf32>, tensor<1x6x4x3xf32>) {
  %sum = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "sum", kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      padding = array<i64: 0, 0, 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  %count = arith.constant 4.0 : f32
  %average_empty = tensor.empty() : tensor<1x4x7x7xf32>
  %average = linalg.generic {indexing_maps = [#space, #space], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%sum : tensor<1x4x7x7xf32>) outs(%average_empty : tensor<1x4x7x7xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.divf %a, %count : f32
    linalg.yield %0 : f32
  } -> tensor<1x4x7x7xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {strides = array<i64: 1, 3>, dilations = array<i64: 2, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 2,
      scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4x8x8xf32>, tensor<6x2x3x1xf32>) -> tensor<1x6x4x3xf32>
  %bias = arith.constant dense<[[[[1.0]], [[2.0]], [[3.0]], [[4.0]], [[5.0]], [[6.0]]]]> : tensor<1x6x1x1xf32>
  %tanh_empty = tensor.empty() : tensor<1x6x4x3xf32>
  %tanh = linalg.generic {indexing_maps = [#space, #channel, #space], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%y, %bias : tensor<1x6x4x3xf32>, tensor<1x6x1x1xf32>) outs(%tanh_empty : tensor<1x6x4x3xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    %1 = math.tanh %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x6x4x3xf32>
  return %average, %tanh : tensor<1x4x7x7xf32>, tensor<1x6x4x3xf32>
}

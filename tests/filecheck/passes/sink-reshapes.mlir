// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-sink-reshapes)' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-sink-reshapes,sparse-pattern-fuse-epilogues)' | FileCheck %s --check-prefix=FUSED

#same = affine_map<(b, t, f) -> (b, t, f)>
#filter = affine_map<(b, t, f) -> (f)>
#one_row = affine_map<(b, t, f) -> (0, 0, f)>
#one = affine_map<(b, t, f) -> ()>
#rows = affine_map<(n, f) -> (n, f)>

// An activation, a residual add, and a layer that reads them: everything works on rows.
// CHECK-DAG:     #[[ROWS:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG:     #[[FILTER:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG:     #[[ONE_ROW:.+]] = affine_map<(d0, d1) -> (0, 0, d1)>
// CHECK-DAG:     #[[ONE:.+]] = affine_map<(d0, d1) -> ()>
// CHECK-LABEL: func.func @block
// CHECK-SAME:    (%[[X:.+]]: tensor<6x4xf32>, %[[W:.+]]: tensor<4x4xf32>, %[[R:.+]]: tensor<2x3x4xf32>)
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%[[X]], %[[W]])
// CHECK:         %[[POSITIVE:.+]] = linalg.generic {indexing_maps = [#[[ROWS]], #[[ROWS]]]
// CHECK-SAME:      ins(%[[Y]] : tensor<6x4xf32>)
// CHECK:         %[[RESIDUAL:.+]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2]]
// CHECK:         %[[SUM:.+]] = linalg.generic {indexing_maps = [#[[ROWS]], #[[ROWS]], #[[ROWS]]]
// CHECK-SAME:      ins(%[[RESIDUAL]], %[[POSITIVE]] : tensor<6x4xf32>, tensor<6x4xf32>)
// CHECK:         %[[RESULT:.+]] = tensor.expand_shape %[[SUM]] {{\[\[}}0, 1], [2]] output_shape [2, 3, 4]
// CHECK:         "sparse_pattern.linear"(%[[SUM]], %[[W]])
// CHECK:         return %[[RESULT]]
// FUSED-LABEL: func.func @block
// FUSED:         "sparse_pattern.linear"
// FUSED:           math.absf
// FUSED:           arith.addf
// FUSED-NOT:     linalg
// FUSED:         return
func.func @block(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<6x4xf32>) {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %positive = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.absf %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  %sum = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%r, %positive : tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  %again = tensor.collapse_shape %sum [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
  %z = "sparse_pattern.linear"(%again, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  return %sum, %z : tensor<2x3x4xf32>, tensor<6x4xf32>
}

// Behind a bias on rows. Values per filter, of any rank, and single ones are read as before.
// CHECK-LABEL: func.func @biases
// CHECK:         %[[BIASED:.+]] = linalg.generic
// CHECK:         linalg.generic {indexing_maps = [#[[ROWS]], #[[FILTER]], #[[ONE_ROW]], #[[ONE]], #[[ROWS]]]
// CHECK-SAME:      ins(%[[BIASED]], %{{.+}}, %{{.+}}, %{{.+}} : tensor<6x4xf32>, tensor<4xf32>, tensor<1x1x4xf32>, tensor<f32>)
// CHECK-SAME:      outs(%{{.+}} : tensor<6x4xf32>)
// FUSED-LABEL: func.func @biases
func.func @biases(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %b: tensor<6x4xf32>, %scale: tensor<4xf32>,
                  %shift: tensor<1x1x4xf32>, %factor: tensor<f32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %start = tensor.empty() : tensor<6x4xf32>
  %biased = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
    ins(%y, %b : tensor<6x4xf32>, tensor<6x4xf32>) outs(%start : tensor<6x4xf32>) {
  ^bb0(%a: f32, %c: f32, %out: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  } -> tensor<6x4xf32>
  %t = tensor.expand_shape %biased [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #filter, #one_row, #one, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %scale, %shift, %factor : tensor<2x3x4xf32>, tensor<4xf32>, tensor<1x1x4xf32>, tensor<f32>)
    outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %s: f32, %h: f32, %f: f32, %out: f32):
    %0 = arith.mulf %a, %s : f32
    %1 = arith.addf %0, %h : f32
    %2 = arith.mulf %1, %f : f32
    linalg.yield %2 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// Both readers of a reshape: an activation that reads the layer's result twice.
// CHECK-LABEL: func.func @twice
// CHECK-NOT:     tensor<2x3x4xf32>{{.*}}outs
// CHECK-COUNT-2: outs(%{{.+}} : tensor<6x4xf32>)
// FUSED-LABEL: func.func @twice
func.func @twice(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x3x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %empty = tensor.empty() : tensor<2x3x4xf32>
  %e = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  %z = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %e : tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%empty : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// Attention over a batch of 1 ends with a transpose that moves nothing: what is added behind it works on rows, too.
// CHECK-LABEL: func.func @one_sequence
// CHECK-SAME:    (%[[X:.+]]: tensor<6x4xf32>, %[[W:.+]]: tensor<4x4xf32>, %[[R:.+]]: tensor<1x6x4xf32>)
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%[[X]], %[[W]])
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[RESIDUAL:.+]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2]]
// CHECK:         %[[SUM:.+]] = linalg.generic {{.*}} ins(%[[RESIDUAL]], %[[Y]] : tensor<6x4xf32>, tensor<6x4xf32>)
// CHECK:         %[[RESULT:.+]] = tensor.expand_shape %[[SUM]] {{\[\[}}0, 1], [2]] output_shape [1, 6, 4]
// CHECK:         return %[[RESULT]]
func.func @one_sequence(%x: tensor<6x4xf32>, %w: tensor<4x4xf32>, %r: tensor<1x6x4xf32>) -> tensor<1x6x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %t = tensor.expand_shape %y [[0], [1, 2]] output_shape [6, 1, 4] : tensor<6x4xf32> into tensor<6x1x4xf32>
  %empty = tensor.empty() : tensor<1x6x4xf32>
  %moved = linalg.transpose ins(%t : tensor<6x1x4xf32>) outs(%empty : tensor<1x6x4xf32>) permutation = [1, 0, 2]
  %sum = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%r, %moved : tensor<1x6x4xf32>, tensor<1x6x4xf32>) outs(%empty : tensor<1x6x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x6x4xf32>
  return %sum : tensor<1x6x4xf32>
}

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-join-copies)' | FileCheck %s

#planes = #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>
#phases = #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 2>, array<i64: 0, 1>, 0, 16, 16>

// What is taken twice is taken once, and read and written as it lies.
// CHECK-LABEL: func.func @chain
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x3xf32, #{{.+}}>)
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.take"(%[[X]]) {positions = array<i64: 0, 0, 1, 1, 2, 2>}
// CHECK-SAME:      -> tensor<1x2x6xf32, #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 2>, array<i64: 0, 1>, 0 : i64, 16 : i64, 16 : i64>>
// CHECK-NEXT:    return %[[Y]]
func.func @chain(%x: tensor<1x2x3xf32, #planes>) -> tensor<1x2x6xf32, #phases> {
  %0 = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x3xf32, #planes>) -> tensor<1x2x3xf32>
  %1 = "sparse_pattern.take"(%0) {positions = array<i64: 1, 0, 1, 2>} : (tensor<1x2x3xf32>) -> tensor<1x2x4xf32>
  %2 = "sparse_pattern.take"(%1) {positions = array<i64: 1, 1, 0, 0, 3, 3>} : (tensor<1x2x4xf32>) -> tensor<1x2x6xf32>
  %3 = "sparse_pattern.convert_layout"(%2) : (tensor<1x2x6xf32>) -> tensor<1x2x6xf32, #phases>
  return %3 : tensor<1x2x6xf32, #phases>
}

// -----

#planes = #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>

// Somebody else reads the plain tensor, which is taken again.
// CHECK-LABEL: func.func @read_twice
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x4xf32>)
// CHECK:         %[[PLAIN:.+]] = "sparse_pattern.take"(%[[X]]) {{.+}} -> tensor<1x2x3xf32>
// CHECK:         %[[PLANAR:.+]] = "sparse_pattern.take"(%[[X]]) {{.+}} -> tensor<1x2x3xf32, #
// CHECK:         return %[[PLAIN]], %[[PLANAR]]
func.func @read_twice(%x: tensor<1x2x4xf32>) -> (tensor<1x2x3xf32>, tensor<1x2x3xf32, #planes>) {
  %0 = "sparse_pattern.take"(%x) {positions = array<i64: 1, 2, 3>} : (tensor<1x2x4xf32>) -> tensor<1x2x3xf32>
  %1 = "sparse_pattern.convert_layout"(%0) : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32, #planes>
  return %0, %1 : tensor<1x2x3xf32>, tensor<1x2x3xf32, #planes>
}

// -----

#planes = #sparse_pattern.planar<array<i64: 2>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 16, 16>

// A norm writes what is taken of it.
// CHECK-LABEL: func.func @norm
// CHECK-SAME:    (%[[X:.+]]: tensor<1x2x2xf32, #{{.+}}>, %[[SCALE:.+]]: tensor<2xf32>)
// CHECK-NEXT:    %[[Y:.+]] = "sparse_pattern.normalize_planes"(%[[X]], %[[SCALE]]) ({
// CHECK:           arith.mulf
// CHECK:         positions = array<i64: 1, 0, 1>}
// CHECK-SAME:      -> tensor<1x2x3xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @norm(%x: tensor<1x2x2xf32, #planes>, %scale: tensor<2xf32>) -> tensor<1x2x3xf32> {
  %0 = "sparse_pattern.normalize_planes"(%x, %scale) ({
  ^bb0(%acc: f32, %s: f32):
    %y = arith.mulf %acc, %s : f32
    "sparse_pattern.yield"(%y) : (f32) -> ()
  }) {groups = 1, epsilon = 0.0 : f32, positions = array<i64>, operandSegmentSizes = array<i32: 1, 1, 0>}
    : (tensor<1x2x2xf32, #planes>, tensor<2xf32>) -> tensor<1x2x2xf32, #planes>
  %1 = "sparse_pattern.convert_layout"(%0) : (tensor<1x2x2xf32, #planes>) -> tensor<1x2x2xf32>
  %2 = "sparse_pattern.take"(%1) {positions = array<i64: 1, 0, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x3xf32>
  return %2 : tensor<1x2x3xf32>
}

// -----

// Others read it, too, and one that adds a tensor reads that at each place of its own.
// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: sparse_pattern.take
func.func @kept(%x: tensor<1x2x2xf32>) -> (tensor<1x2x3xf32>, tensor<1x2x2xf32>, tensor<1x2x3xf32>) {
  %0 = "sparse_pattern.normalize_planes"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {groups = 1, epsilon = 0.0 : f32, positions = array<i64>, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %1 = "sparse_pattern.take"(%0) {positions = array<i64: 1, 0, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x3xf32>
  %2 = "sparse_pattern.normalize_planes"(%x, %x) ({
  ^bb0(%acc: f32, %other: f32):
    %y = arith.addf %acc, %other : f32
    "sparse_pattern.yield"(%y) : (f32) -> ()
  }) {groups = 1, epsilon = 0.0 : f32, positions = array<i64>, operandSegmentSizes = array<i32: 1, 0, 1>}
    : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %3 = "sparse_pattern.take"(%2) {positions = array<i64: 1, 0, 1>} : (tensor<1x2x2xf32>) -> tensor<1x2x3xf32>
  return %1, %0, %3 : tensor<1x2x3xf32>, tensor<1x2x2xf32>, tensor<1x2x3xf32>
}

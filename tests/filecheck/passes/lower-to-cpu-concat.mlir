// Layers write their channels where a concatenation wants them; what others read too is copied.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,cse,sparse-pattern-select-kernels,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// The kernels write into a view of what belongs to the concatenation; where it begins, and how long it is, is an operand. The
// first one makes the room. Zeros before the first plane are written by who writes the first channel, so planes copied behind
// have none.
// CHECK:         func.func private @copy_planes_3(%{{[^,]+}}: memref<?xf32>, %[[PLACE:[^,]+]]: memref<?xi32>, %[[ROOM:[^,]+]]: memref<?xf32>,
// CHECK:           %[[BEGIN:.+]] = memref.load %[[PLACE]][%c0
// CHECK:           %[[AT:.+]] = arith.index_cast %[[BEGIN]]
// CHECK:           %[[PART:.+]] = memref.subview %[[ROOM]][%[[AT]]]
// CHECK-NOT:       vector.store dense
// CHECK:           vector.store %{{.+}}, %[[PART]]
// CHECK-LABEL: func.func @joined
// CHECK:         %[[X:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_0]
// CHECK:         %[[FIRST:.+]] = arith.constant dense<[0, 348]> : tensor<2xi32>
// CHECK:         %[[A:.+]] = "flow.dispatch"({{.+}}, %[[FIRST]]) {entry_points = [@gather_gemm_1], operandSegmentSizes = array<i32: 0, 6, 0, 0>, sparse_pattern.part = array<i64: 1, 11, 0, 4>}
// CHECK-SAME:      -> tensor<[[SIZE:[0-9]+]]xf32>
// CHECK:         %[[B:.+]] = "flow.dispatch"({{.+}}, %[[A]]) {entry_points = [@gather_gemm_2], {{.+}}, tied_operands = [6 : index]}
// CHECK-SAME:      -> tensor<[[SIZE]]xf32>
// CHECK:         %[[C:.+]] = "flow.dispatch"(%[[X]], {{.+}}, %[[B]]) {entry_points = [@copy_planes_3], {{.+}}, tied_operands = [2 : index]}
// CHECK:         "flow.dispatch"(%[[C]], {{.+}}) {entry_points = [@lane_gemm_4]
module attributes {sparse_pattern.target = "arm64"} {
  func.func @joined(%x: tensor<1x3x8x8xf32>) -> tensor<1x4x8x8xf32> {
    %w = arith.constant dense<0.5> : tensor<4x3x1x1xf32>
    %v = arith.constant dense<0.5> : tensor<4x11x3x3xf32>
    %u = arith.constant dense<0.25> : tensor<4x3x1x1xf32>
    %a = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %b = "sparse_pattern.conv"(%x, %u) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
    %c = tensor.concat dim(1) %a, %b, %x
      : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>, tensor<1x3x8x8xf32>) -> tensor<1x11x8x8xf32>
    %d = "sparse_pattern.conv"(%c, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x11x8x8xf32>, tensor<4x11x3x3xf32>) -> tensor<1x4x8x8xf32>
    return %d : tensor<1x4x8x8xf32>
  }
}

// Filters in lanes: of a column a vector of weights and two of pixels are loaded, and each of the seven pixels of a row multiplies
// the weights. Four vectors over filters become four over pixels, of which the last three are stored as two and one. A zero stands
// behind each row, and there is no mask.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// CHECK-LABEL: func.func private @lane_gemm_1(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %{{.+}}: memref<?xi16>, %{{.+}}: memref<?xi32>, %[[OUT:.+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK:         %[[SUMS:.+]]:7 = scf.for
// CHECK:           %[[FIRST:.+]] = vector.load %[[IN]]{{.+}} vector<4xf32>
// CHECK:           %[[LAST:.+]] = vector.load %[[IN]]{{.+}} vector<4xf32>
// CHECK:           %[[WEIGHTS:.+]] = vector.load %[[VALUES]]{{.+}} vector<4xf32>
// CHECK:           vector.extract %[[FIRST]][0]
// CHECK:           vector.extract %[[FIRST]][3]
// CHECK-NEXT:      vector.extract %[[LAST]][1]
// CHECK:           vector.extract %[[LAST]][3]
// CHECK-COUNT-7:   vector.fma %[[WEIGHTS]], %{{.+}}, %{{.+}} : vector<4xf32>
// CHECK-NOT:       vector.fma
// CHECK:         vector.shuffle %[[SUMS]]#0, %[[SUMS]]#2 [0, 4, 1, 5]
// CHECK:         vector.store %{{.+}}, %[[OUT]]{{.+}} vector<4xf32>
// CHECK:         vector.store %{{.+}}, %[[OUT]]{{.+}} vector<2xf32>
// CHECK:         memref.store %{{.+}}, %[[OUT]]
// CHECK-NOT:     arith.select
// CHECK:         %[[ZERO:.+]] = arith.constant 0.0
// CHECK:         memref.store %[[ZERO]], %[[OUT]]
// CHECK:         return
module attributes {sparse_pattern.target = "arm64"} {
  func.func @image(%x: tensor<1x2x7x7xf32>) -> tensor<1x4x7x7xf32> {
    %w = arith.constant dense<0.5> : tensor<4x2x3x3xf32>
    %y = "sparse_pattern.conv"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        scheme = #sparse_pattern.dense, kernel = #sparse_pattern.lane_gemm<4, 1, 7, 7, 1>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x2x7x7xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x7x7xf32>
    return %y : tensor<1x4x7x7xf32>
  }
}

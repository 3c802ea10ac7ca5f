// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-expand-normalizations{always=true})' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-expand-normalizations)' | FileCheck %s --check-prefix=KERNEL

// Where there is a kernel nothing is taken apart.
// KERNEL-COUNT-3: "sparse_pattern.normalize"
// KERNEL-NOT: "sparse_pattern.normalize"
module attributes {sparse_pattern.target = "x86-64-v4"} {

// A sum of squares, then each number with its scale.
// CHECK-LABEL: func.func @rms
// CHECK-SAME:    (%[[X:.+]]: tensor<4x8xf32>, %[[SCALE:.+]]: tensor<8xf32>)
// CHECK:         %[[SQUARES:.+]] = linalg.generic {{.+}} ins(%[[X]] : tensor<4x8xf32>) outs(%{{.+}} : tensor<4xf32>)
// CHECK:           arith.mulf
// CHECK-NEXT:      arith.addf
// CHECK:         linalg.generic {{.+}} ins(%[[X]], %[[SQUARES]], %[[SCALE]] :
// CHECK:           math.sqrt
// CHECK-NEXT:      %[[NORMAL:.+]] = arith.divf
// CHECK-NEXT:      arith.mulf %[[NORMAL]]
func.func @rms(%x: tensor<4x8xf32>, %scale: tensor<8xf32>) -> tensor<4x8xf32> {
  %y = "sparse_pattern.normalize"(%x, %scale) ({
  ^bb0(%acc: f32, %s: f32):
    %0 = arith.mulf %acc, %s : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {kind = "rms", epsilon = 1.0e-5 : f32, operandSegmentSizes = array<i32: 1, 1, 0>}
    : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// Three sums: of numbers, of distances from their mean, and of squares.
// CHECK-LABEL: func.func @layer
// CHECK-SAME:    (%[[X:.+]]: tensor<4x8xf32>)
// CHECK:         %[[TOTAL:.+]] = linalg.generic {{.+}} ins(%[[X]] : tensor<4x8xf32>)
// CHECK:         %[[REST:.+]] = linalg.generic {{.+}} ins(%[[X]], %[[TOTAL]] :
// CHECK:         %[[SQUARES:.+]] = linalg.generic {{.+}} ins(%[[X]], %[[TOTAL]], %[[REST]] :
// CHECK:         linalg.generic {{.+}} ins(%[[X]], %[[TOTAL]], %[[REST]], %[[SQUARES]] :
func.func @layer(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "layer", epsilon = 1.0e-5 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @softmax
// CHECK-SAME:    (%[[X:.+]]: tensor<4x8xf32>)
// CHECK:         %[[HIGHEST:.+]] = linalg.generic {{.+}} ins(%[[X]] :
// CHECK:           arith.maximumf
// CHECK:         %[[TOTAL:.+]] = linalg.generic {{.+}} ins(%[[X]], %[[HIGHEST]] :
// CHECK:           math.exp
// CHECK:         linalg.generic {{.+}} ins(%[[X]], %[[HIGHEST]], %[[TOTAL]] :
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = "sparse_pattern.normalize"(%x) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {kind = "softmax", epsilon = 0.0 : f32, operandSegmentSizes = array<i32: 1, 0, 0>}
    : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

}

// Where vectors are short, epilogues are: sums begin with the bias, tiles without halo have code without masks, and depthwise
// layers go row by row, which needs none.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-assign-layouts,cse,sparse-pattern-select-kernels,sparse-pattern-compact-storage,sparse-pattern-lower-to-cpu)' | FileCheck %s

// CHECK-LABEL: func.func private @depthwise_rows_2(
// CHECK-SAME:    memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %[[BIAS:.+]]: memref<?xf32>, %[[OUT:.+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK:         memref.load %[[BIAS]]
// CHECK-NOT:     arith.addf
// CHECK-NOT:     arith.select
// CHECK:         return

// CHECK-LABEL: func.func private @gather_gemm_1(
// CHECK-SAME:    %[[BIAS:[^ ]+]]: memref<?xf32>, %[[MASK:[^ ]+]]: memref<?xi8>, %[[OUT:[^ ]+]]: memref<?xf32>, %{{[^ ]+}}: index, %{{[^ ]+}}: index, %{{[^ ]+}}: index)
// CHECK:         memref.load %[[BIAS]]
// CHECK:         %[[SUMS:.+]]:{{[0-9]+}} = scf.for
// CHECK-NOT:     arith.addf
// CHECK:         %[[PLACE:.+]] = arith.remui
// CHECK:         %[[INNER:.+]] = arith.cmpi slt, %[[PLACE]]
// CHECK-NEXT:    scf.if %[[INNER]]
// CHECK-NOT:       vector.load %[[MASK]]
// CHECK:           %[[RELU:.+]] = arith.maximumf %[[SUMS]]#0
// CHECK:           vector.store %[[RELU]], %[[OUT]]
// CHECK:         } else {
// CHECK:           vector.load %[[MASK]]
// CHECK:           arith.select
// CHECK:         return
module attributes {sparse_pattern.target = "arm64"} {
  func.func @two(%x: tensor<1x4x64x64xf32>, %bias: tensor<8xf32>) -> tensor<1x8x64x64xf32> {
    %w = arith.constant dense<0.5> : tensor<8x4x1x1xf32>
    %v = arith.constant dense<0.5> : tensor<8x1x3x3xf32>
    %zero = arith.constant 0.0 : f32
    %y = "sparse_pattern.conv"(%x, %w, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      %1 = arith.cmpf ugt, %0, %zero : f32
      %2 = arith.select %1, %0, %zero : f32
      "sparse_pattern.yield"(%2) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, groups = 1,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x4x64x64xf32>, tensor<8x4x1x1xf32>, tensor<8xf32>) -> tensor<1x8x64x64xf32>
    %z = "sparse_pattern.conv"(%y, %v, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %b, %acc : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 8,
        scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x8x64x64xf32>, tensor<8x1x3x3xf32>, tensor<8xf32>) -> tensor<1x8x64x64xf32>
    return %z : tensor<1x8x64x64xf32>
  }
}

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-keep-panels)' | FileCheck %s

// What only a layer of many rows reads stays in panels: 40 rows are two groups of 32. The reader's kernel has 2 vectors of 16
// rows, so the writer's gets as many.
// CHECK-LABEL: func.func @pair
// CHECK:         %[[H:.+]] = "sparse_pattern.linear"(%arg0
// CHECK:         kernel = #sparse_pattern.row_gemm<4 : i64, 2 : i64, 8 : i64>
// CHECK-SAME:    -> [[PANELS:tensor<2x32x32xf32, #sparse_pattern.planar<array<i64: 32>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0 : i64, 32 : i64, 0 : i64>>]]
// CHECK:         "sparse_pattern.linear"(%[[H]]
// CHECK:         kernel = #sparse_pattern.row_gemm<4 : i64, 2 : i64, 4 : i64>
// CHECK-SAME:    ([[PANELS]], tensor<16x32xf32>) -> tensor<40x16xf32>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @pair(%x: tensor<40x16xf32>, %w: tensor<32x16xf32>, %v: tensor<16x32xf32>) -> tensor<40x16xf32> {
    %h = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 3, 8>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<32x16xf32>) -> tensor<40x32xf32>
    %y = "sparse_pattern.linear"(%h, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x32xf32>, tensor<16x32xf32>) -> tensor<40x16xf32>
    return %y : tensor<40x16xf32>
  }
}

// -----

// Blocks of 12 filters leave registers for two vectors of sums, so that the reader gets two as well. Of three layers in a row
// the first two have panels between them: a layer must know its rows from one side.
// CHECK-LABEL: func.func @three
// CHECK:         row_gemm<12 : i64, 2 : i64, 4 : i64>
// CHECK-SAME:    -> tensor<2x48x32xf32
// CHECK:         row_gemm<4 : i64, 2 : i64, 8 : i64>
// CHECK-SAME:    -> tensor<40x32xf32>
// CHECK:         row_gemm<4 : i64, 3 : i64, 4 : i64>
// CHECK-SAME:    (tensor<40x32xf32>, tensor<16x32xf32>) -> tensor<40x16xf32>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @three(%x: tensor<40x16xf32>, %u: tensor<48x16xf32>, %w: tensor<32x48xf32>, %v: tensor<16x32xf32>)
      -> tensor<40x16xf32> {
    %g = "sparse_pattern.linear"(%x, %u) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<12, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<48x16xf32>) -> tensor<40x48xf32>
    %h = "sparse_pattern.linear"(%g, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 3, 8>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x48xf32>, tensor<32x48xf32>) -> tensor<40x32xf32>
    %y = "sparse_pattern.linear"(%h, %v) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 3, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x32xf32>, tensor<16x32xf32>) -> tensor<40x16xf32>
    return %y : tensor<40x16xf32>
  }
}

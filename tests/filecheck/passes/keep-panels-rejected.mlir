// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-keep-panels)' | FileCheck %s

// Rows stay rows where something else reads them: the network's caller,
// CHECK-LABEL: func.func @returned
// CHECK-NOT:     planar
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @returned(%x: tensor<40x16xf32>, %w: tensor<16x16xf32>) -> (tensor<40x16xf32>, tensor<40x16xf32>) {
    %h = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<16x16xf32>) -> tensor<40x16xf32>
    %y = "sparse_pattern.linear"(%h, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<16x16xf32>) -> tensor<40x16xf32>
    return %h, %y : tensor<40x16xf32>, tensor<40x16xf32>
  }
}

// -----

// the tail of a layer (which a layer also reads as its input),
// CHECK-LABEL: func.func @residual
// CHECK-NOT:     planar
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @residual(%x: tensor<40x16xf32>, %w: tensor<16x16xf32>) -> tensor<40x16xf32> {
    %h = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<16x16xf32>) -> tensor<40x16xf32>
    %y = "sparse_pattern.linear"(%h, %w, %h) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<40x16xf32>, tensor<16x16xf32>, tensor<40x16xf32>) -> tensor<40x16xf32>
    return %y : tensor<40x16xf32>
  }
}

// -----

// or a kernel of few rows. A layer whose tail reads rows writes rows, too.
// CHECK-LABEL: func.func @kernels
// CHECK-NOT:     planar
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @kernels(%x: tensor<40x16xf32>, %w: tensor<16x16xf32>) -> tensor<40x16xf32> {
    %g = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<16x16xf32>) -> tensor<40x16xf32>
    %h = "sparse_pattern.linear"(%g, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.matvec<4, 1, 1>,
        operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<40x16xf32>, tensor<16x16xf32>, tensor<40x16xf32>) -> tensor<40x16xf32>
    %i = "sparse_pattern.linear"(%h, %w, %x) ({
    ^bb0(%acc: f32, %r: f32):
      %0 = arith.addf %acc, %r : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<40x16xf32>, tensor<16x16xf32>, tensor<40x16xf32>) -> tensor<40x16xf32>
    %y = "sparse_pattern.linear"(%i, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf32>, tensor<16x16xf32>) -> tensor<40x16xf32>
    return %y : tensor<40x16xf32>
  }
}

// -----

// On this target numbers of f16 are computed with as f32, and panels would have them as they are stored.
// CHECK-LABEL: func.func @narrow
// CHECK-NOT:     planar
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @narrow(%x: tensor<40x16xf16>, %w: tensor<16x16xf16>) -> tensor<40x16xf16> {
    %h = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      %0 = arith.truncf %acc : f32 to f16
      "sparse_pattern.yield"(%0) : (f16) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf16>, tensor<16x16xf16>) -> tensor<40x16xf16>
    %y = "sparse_pattern.linear"(%h, %w) ({
    ^bb0(%acc: f32):
      %0 = arith.truncf %acc : f32 to f16
      "sparse_pattern.yield"(%0) : (f16) -> ()
    }) {scheme = #sparse_pattern.dense, kernel = #sparse_pattern.row_gemm<4, 2, 4>,
        operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<40x16xf16>, tensor<16x16xf16>) -> tensor<40x16xf16>
    return %y : tensor<40x16xf16>
  }
}

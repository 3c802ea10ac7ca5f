// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' --verify-diagnostics

// What has a kernel stays.
// CHECK-LABEL: func.func @kernel
// CHECK:         "sparse_pattern.recurrent"
func.func @kernel(%x: tensor<2x3x5xf32>, %begin: tensor<1x3x5xf32>) -> tensor<2x3x5xf32> {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return %y : tensor<2x3x5xf32>
}

// Computed weights and other types do not have one.
// CHECK-LABEL: func.func @computed_weights
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @computed_weights(%x: tensor<1x3x5xf32>, %begin: tensor<1x3x5xf32>, %w: tensor<5x5xf32>) -> tensor<1x3x5xf32> {
  // expected-remark @+1 {{unrolled to 1 step: its weights are not constant}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<1x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<1x3x5xf32>, tensor<1x3x5xf32>)
  return %y : tensor<1x3x5xf32>
}

// CHECK-LABEL: func.func @doubles
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @doubles(%x: tensor<2x3x5xf64>, %begin: tensor<1x3x5xf64>) -> tensor<2x3x5xf64> {
  %w = arith.constant dense<0.5> : tensor<5x5xf64>
  // expected-remark @+1 {{unrolled to 2 steps: it has elements of f64, and kernels compute in f32}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%product: f64, %input: f64, %state: f64):
    %sum = arith.addf %product, %input : f64
    "sparse_pattern.next"(%sum) : (f64) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf64>, tensor<5x5xf64>, tensor<1x3x5xf64>) -> (tensor<2x3x5xf64>, tensor<1x3x5xf64>)
  return %y : tensor<2x3x5xf64>
}

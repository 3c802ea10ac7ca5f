// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' --verify-diagnostics

// CHECK-NOT: "sparse_pattern.recurrent"
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @gpu(%x: tensor<2x3x5xf32>, %begin: tensor<1x3x5xf32>) -> tensor<2x3x5xf32> {
    %w = arith.constant dense<0.5> : tensor<5x5xf32>
    // expected-remark @+1 {{unrolled to 2 steps: there is no kernel for GPUs}}
    %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
    ^bb0(%product: f32, %input: f32, %state: f32):
      %sum = arith.addf %product, %input : f32
      "sparse_pattern.next"(%sum) : (f32) -> ()
    }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
      : (tensor<2x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
    return %y : tensor<2x3x5xf32>
  }
}

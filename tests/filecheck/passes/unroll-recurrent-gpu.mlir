// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' --verify-diagnostics

module attributes {sparse_pattern.target = "vulkan"} {
// Several steps have a kernel.
// CHECK-LABEL: func.func @steps
// CHECK:         "sparse_pattern.recurrent"
func.func @steps(%x: tensor<2x3x5xf32>, %begin: tensor<1x3x5xf32>) -> tensor<2x3x5xf32> {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p0: f32, %i0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return %y : tensor<2x3x5xf32>
}

// One does not: with the copy of its states it would be as many dispatches, on a part of the GPU.
// CHECK-LABEL: func.func @one_step
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @one_step(%x: tensor<1x3x5xf32>, %begin: tensor<1x3x5xf32>) -> tensor<1x3x5xf32> {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  // expected-remark @+1 {{unrolled to 1 step: 2 dispatches a step are estimated to take 20 us in all, a workgroup for each sequence 20 us}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p0: f32, %i0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<1x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<1x3x5xf32>, tensor<1x3x5xf32>)
  return %y : tensor<1x3x5xf32>
}

// Large layers take a workgroup longer than dispatches take to begin, of which late gates have twice as many.
// CHECK-LABEL: func.func @large
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @large(%x: tensor<10x1x1000xf32>, %begin: tensor<1x1x1000xf32>) -> tensor<10x1x1000xf32> {
  %w = arith.constant dense<0.5> : tensor<1000x1000xf32>
  // expected-remark @+1 {{unrolled to 10 steps: 2 dispatches a step are estimated to take 333 us in all, a workgroup for each sequence 553 us}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p0: f32, %i0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<10x1x1000xf32>, tensor<1000x1000xf32>, tensor<1x1x1000xf32>) -> (tensor<10x1x1000xf32>, tensor<1x1x1000xf32>)
  return %y : tensor<10x1x1000xf32>
}

// CHECK-LABEL: func.func @late
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @late(%x: tensor<10x1x2000xf32>, %begin: tensor<1x1x1000xf32>) -> tensor<10x1x1000xf32> {
  %w = arith.constant dense<0.5> : tensor<2000x1000xf32>
  // expected-remark @+1 {{unrolled to 10 steps: 4 dispatches a step are estimated to take 667 us in all, a workgroup for each sequence 1087 us}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p0: f32, %p1: f32, %i0: f32, %i1: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum, %s0) : (f32, f32) -> ()
  }) {late = 1, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<10x1x2000xf32>, tensor<2000x1000xf32>, tensor<1x1x1000xf32>) -> (tensor<10x1x1000xf32>, tensor<1x1x1000xf32>)
  return %y : tensor<10x1x1000xf32>
}

// States and sums are to be in the memory of a workgroup.
// CHECK-LABEL: func.func @room
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @room(%x: tensor<3x1x2050xf32>, %begin: tensor<1x1x2050xf32>) -> tensor<3x1x2050xf32> {
  %w = arith.constant dense<0.5> : tensor<2050x2050xf32>
  // expected-remark @+1 {{unrolled to 3 steps: sums and states of a sequence take 16400 bytes of a workgroup's memory, of which target 'vulkan' promises 16384}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p0: f32, %i0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<3x1x2050xf32>, tensor<2050x2050xf32>, tensor<1x1x2050xf32>) -> (tensor<3x1x2050xf32>, tensor<1x1x2050xf32>)
  return %y : tensor<3x1x2050xf32>
}

// And a shader has four buffers.
// CHECK-LABEL: func.func @lengths
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @lengths(%x: tensor<3x2x5xf32>, %begin: tensor<1x2x5xf32>, %n: tensor<2xi32>) -> tensor<3x2x5xf32> {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  // expected-remark @+1 {{unrolled to 3 steps: its kernel would have 5 buffers, and target 'vulkan' promises 4}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin, %n) ({
  ^bb0(%p0: f32, %i0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}
    : (tensor<3x2x5xf32>, tensor<5x5xf32>, tensor<1x2x5xf32>, tensor<2xi32>) -> (tensor<3x2x5xf32>, tensor<1x2x5xf32>)
  return %y : tensor<3x2x5xf32>
}

// CHECK-LABEL: func.func @per_unit
// CHECK-NOT:     "sparse_pattern.recurrent"
func.func @per_unit(%x: tensor<3x2x5xf32>, %begin: tensor<1x2x5xf32>, %p: tensor<1x5xf32>) -> tensor<3x2x5xf32> {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  // expected-remark @+1 {{unrolled to 3 steps: its kernel would have 5 buffers, and target 'vulkan' promises 4}}
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin, %p) ({
  ^bb0(%p0: f32, %i0: f32, %u0: f32, %s0: f32):
    %sum = arith.addf %p0, %i0 : f32
    "sparse_pattern.next"(%sum) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>}
    : (tensor<3x2x5xf32>, tensor<5x5xf32>, tensor<1x2x5xf32>, tensor<1x5xf32>) -> (tensor<3x2x5xf32>, tensor<1x2x5xf32>)
  return %y : tensor<3x2x5xf32>
}
}

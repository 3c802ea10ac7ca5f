// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-outline-loops)' | FileCheck %s

// What the body reads becomes an argument, but for what is computed of constants alone: the weights
// that are transposed outside are constants in the function, too.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME:    %[[X:.+]]: tensor<2x3xf32>, %[[R:.+]]: tensor<2x3xf32>, %[[N:.+]]: index)
// CHECK-NOT:     linalg
// CHECK:         scf.for {{.*}} to %[[N]] {{.*}} iter_args(%[[H:.+]] = %[[X]])
// CHECK-NEXT:      %[[Z:.+]] = func.call @loop_1(%[[H]], %[[R]])
// CHECK-NEXT:      scf.yield %[[Z]]
func.func @loop(%x: tensor<2x3xf32>, %r: tensor<2x3xf32>, %n: index) -> tensor<2x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %empty = tensor.empty() : tensor<3x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x3xf32>) outs(%empty : tensor<3x3xf32>) permutation = [1, 0]
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<2x3xf32> {
    %z = linalg.matmul ins(%h, %t : tensor<2x3xf32>, tensor<3x3xf32>) outs(%r : tensor<2x3xf32>) -> tensor<2x3xf32>
    scf.yield %z : tensor<2x3xf32>
  }
  return %y : tensor<2x3xf32>
}

// Its name is free, and a body that computes numbers alone stays.
// CHECK-LABEL: func.func private @loop_0
// CHECK:         scf.for
// CHECK-NEXT:      arith.addf
func.func private @loop_0(%x: f64, %n: index) -> f64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> f64 {
    %z = arith.addf %h, %x : f64
    scf.yield %z : f64
  }
  return %y : f64
}

// The condition of a while computes, and so does its body; it hands on what it got itself.
// CHECK-LABEL: func.func @while(
// CHECK:         scf.while
// CHECK-NEXT:      %[[GO:.+]] = func.call @loop_2(%[[BEFORE:.+]]) : (tensor<2x3xf32>) -> i1
// CHECK-NEXT:      scf.condition(%[[GO]]) %[[BEFORE]]
// CHECK:         ^bb0(%[[AFTER:.+]]: tensor<2x3xf32>):
// CHECK-NEXT:      %[[NEXT:.+]] = func.call @loop_3(%[[AFTER]])
// CHECK-NEXT:      scf.yield %[[NEXT]]
func.func @while(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %c0 = arith.constant 0 : index
  %bound = arith.constant 9.0 : f32
  %y = scf.while (%h = %x) : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    %e = tensor.empty() : tensor<2x3xf32>
    %s = linalg.exp ins(%h : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
    %first = tensor.extract %s[%c0, %c0] : tensor<2x3xf32>
    %go = arith.cmpf olt, %first, %bound : f32
    scf.condition(%go) %h : tensor<2x3xf32>
  } do {
  ^bb0(%h: tensor<2x3xf32>):
    %e = tensor.empty() : tensor<2x3xf32>
    %z = linalg.add ins(%h, %h : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
    scf.yield %z : tensor<2x3xf32>
  }
  return %y : tensor<2x3xf32>
}

// A branch in a loop: the loop's body first, then the branch in the function that this became. The
// other branch computes nothing.
// CHECK-LABEL: func.func @branch(
// CHECK:         func.call @loop_4(
// CHECK:       func.func private @loop_1(
// CHECK-SAME:    %{{.+}}: tensor<2x3xf32>, %{{.+}}: tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK:         linalg.transpose
// CHECK-NEXT:    linalg.matmul
// CHECK:       func.func private @loop_2(
// CHECK:       func.func private @loop_3(
// CHECK:       func.func private @loop_4(
// CHECK:         linalg.sub
// CHECK:         scf.if
// CHECK-NEXT:      func.call @loop_5(
// CHECK:         } else {
// CHECK-NEXT:      scf.yield
// CHECK:       func.func private @loop_5(
// CHECK:         linalg.add
func.func @branch(%x: tensor<2x3xf32>, %n: index, %flag: i1) -> tensor<2x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<2x3xf32> {
    %e = tensor.empty() : tensor<2x3xf32>
    %d = linalg.sub ins(%h, %x : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
    %z = scf.if %flag -> tensor<2x3xf32> {
      %s = linalg.add ins(%d, %d : tensor<2x3xf32>, tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) -> tensor<2x3xf32>
      scf.yield %s : tensor<2x3xf32>
    } else {
      scf.yield %h : tensor<2x3xf32>
    }
    scf.yield %z : tensor<2x3xf32>
  }
  return %y : tensor<2x3xf32>
}

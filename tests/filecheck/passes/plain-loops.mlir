// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-plain-loops)' | FileCheck %s

// The condition computes a tensor, and hands on less than it gets: it is computed before the loop and
// behind its body. Numbers come before tensors, and the body reads all of them.
// CHECK-LABEL: func.func @computes(
// CHECK-SAME:    %[[X:.+]]: tensor<4xf32>, %[[N:.+]]: index)
// CHECK:         %[[S:.+]] = tensor.extract %[[X]]
// CHECK:         %[[FIRST:.+]] = arith.cmpi slt, %[[C0:.+]], %[[N]]
// CHECK:         %[[GO:.+]] = arith.select %[[FIRST]]
// CHECK:         %[[LOOP:.+]]:3 = scf.while (%[[A:.+]] = %[[GO]], %[[B:.+]] = %[[C0]], %[[C:.+]] = %[[X]])
// CHECK:           %[[MORE:.+]] = arith.cmpi ne, %[[A]],
// CHECK-NEXT:      scf.condition(%[[MORE]]) %[[A]], %[[B]], %[[C]]
// CHECK:         ^bb0(%[[G:.+]]: index, %[[I:.+]]: index, %[[H:.+]]: tensor<4xf32>):
// CHECK-NEXT:      "util.optimization_barrier"(%[[G]])
// CHECK-NEXT:      "util.optimization_barrier"(%[[I]])
// CHECK-NEXT:      "util.optimization_barrier"(%[[H]])
// CHECK:           %[[J:.+]] = arith.addi %[[I]]
// CHECK-NEXT:      tensor.extract %[[H]]
// CHECK-NEXT:      %[[NEXT:.+]] = arith.cmpi slt, %[[J]], %[[N]]
// CHECK:           %[[WIDE:.+]] = arith.select %[[NEXT]]
// CHECK-NEXT:      %[[NEW:.+]] = "util.optimization_barrier"(%[[J]])
// CHECK-NEXT:      scf.yield %[[WIDE]], %[[NEW]], %[[H]]
// CHECK:         return %[[LOOP]]#2
func.func @computes(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %unread = arith.constant 1.0 : f32
  %y, %end = scf.while (%i = %c0, %h = %x, %u = %unread) : (index, tensor<4xf32>, f32) -> (tensor<4xf32>, index) {
    %s = tensor.extract %h[%c0] : tensor<4xf32>
    %go = arith.cmpi slt, %i, %n : index
    scf.condition(%go) %h, %i : tensor<4xf32>, index
  } do {
  ^bb0(%h: tensor<4xf32>, %i: index):
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %h, %unread : index, tensor<4xf32>, f32
  }
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @plain(
// CHECK:         scf.while (%{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}) : (index, tensor<4xf32>)
// CHECK-NOT:     arith.select
func.func @plain(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %end, %y = scf.while (%i = %c0, %h = %x) : (index, tensor<4xf32>) -> (index, tensor<4xf32>) {
    %go = arith.cmpi slt, %i, %n : index
    scf.condition(%go) %i, %h : index, tensor<4xf32>
  } do {
  ^bb0(%i: index, %h: tensor<4xf32>):
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %h : index, tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @switch(
// CHECK-SAME:    %[[X:.+]]: tensor<4xf32>, %[[Y:.+]]: tensor<4xf32>, %[[N:.+]]: index)
// CHECK:         %[[TWO:.+]] = arith.cmpi eq, %[[N]], %{{.+}}
// CHECK-NEXT:    %[[Z:.+]] = scf.if %[[TWO]]
// CHECK-NEXT:      scf.yield %[[X]]
// CHECK-NEXT:    } else {
// CHECK:           %[[FIVE:.+]] = arith.cmpi eq, %[[N]], %{{.+}}
// CHECK-NEXT:      %[[REST:.+]] = scf.if %[[FIVE]]
// CHECK-NEXT:        scf.yield %[[Y]]
// CHECK-NEXT:      } else {
// CHECK:             tensor.empty
// CHECK:           scf.yield %[[REST]]
// CHECK:         return %[[Z]]
func.func @switch(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %z = scf.index_switch %n -> tensor<4xf32>
  case 2 {
    scf.yield %x : tensor<4xf32>
  }
  case 5 {
    scf.yield %y : tensor<4xf32>
  }
  default {
    %e = tensor.empty() : tensor<4xf32>
    scf.yield %e : tensor<4xf32>
  }
  return %z : tensor<4xf32>
}

// What the loop begins with is read behind it, too, and must not go there.
// CHECK-LABEL: func.func @counted(
// CHECK:         scf.for %{{.+}} iter_args(%[[H:.+]] = %{{.+}})
// CHECK-NEXT:      %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-NEXT:      "util.optimization_barrier"(%[[ZERO]])
// CHECK-NEXT:      tensor.insert
func.func @counted(%x: tensor<4xf32>, %n: index, %s: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = arith.negf %x : tensor<4xf32>
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %a) -> tensor<4xf32> {
    %z = tensor.insert %s into %h[%c0] : tensor<4xf32>
    scf.yield %z : tensor<4xf32>
  }
  %b = arith.negf %a : tensor<4xf32>
  return %y, %b : tensor<4xf32>, tensor<4xf32>
}

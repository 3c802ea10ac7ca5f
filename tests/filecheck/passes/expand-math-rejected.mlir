// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-expand-math)' | FileCheck %s

// What IREE has right stays.
// CHECK-LABEL: func.func @kept
// CHECK-NEXT:    math.exp
// CHECK-NEXT:    math.log
// CHECK-NEXT:    math.tanh
// CHECK-NEXT:    math.rsqrt
// CHECK-NEXT:    math.round
// CHECK-NEXT:    return
func.func @kept(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  %1 = math.log %0 : f32
  %2 = math.tanh %1 : f32
  %3 = math.rsqrt %2 : f32
  %4 = math.round %3 : f32
  return %4 : f32
}

// Doubles, and functions of integers.
// CHECK-LABEL: func.func @other_types
// CHECK-NEXT:    math.sin %{{.+}} : f64
// CHECK-NEXT:    math.absi
// CHECK-NEXT:    return
func.func @other_types(%x: f64, %n: i32) -> (f64, i32) {
  %0 = math.sin %x : f64
  %1 = math.absi %n : i32
  return %0, %1 : f64, i32
}

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-expand-math)' | FileCheck %s

#map = affine_map<(n) -> (n)>

// In the body of an elementwise op.
// CHECK-LABEL: func.func @body
// CHECK:         ^bb0(%[[X:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT:      %[[MAGNITUDE:.+]] = math.absf %[[X]]
// CHECK-NOT:       math.atanh
// CHECK:           %[[LOG:.+]] = math.log1p
// CHECK:           %[[HALF:.+]] = arith.mulf %{{.+}}, %[[LOG]]
// CHECK:           %[[Y:.+]] = math.copysign %[[HALF]], %[[X]]
// CHECK-NEXT:      linalg.yield %[[Y]]
func.func @body(%x: tensor<5xf32>) -> tensor<5xf32> {
  %empty = tensor.empty() : tensor<5xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
    ins(%x : tensor<5xf32>) outs(%empty : tensor<5xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.atanh %a : f32
    linalg.yield %0 : f32
  } -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// In the epilogue of a layer.
// CHECK-LABEL: func.func @epilogue
// CHECK:         ^bb0(%[[ACC:.+]]: f32):
// CHECK-NOT:       math.sinh
// CHECK:           math.exp
// CHECK:           %[[Y:.+]] = math.copysign %{{.+}}, %[[ACC]]
// CHECK-NEXT:      "sparse_pattern.yield"(%[[Y]])
func.func @epilogue(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>) -> tensor<2x4xf32> {
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    %0 = math.sinh %acc : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Of whole tensors, as a file may have them.
// CHECK-LABEL: func.func @tensors
// CHECK-NOT:     math.sin
// CHECK:         arith.muli %{{.+}}, %{{.+}} : tensor<5xi32>
func.func @tensors(%x: tensor<5xf32>) -> tensor<5xf32> {
  %y = math.sin %x : tensor<5xf32>
  return %y : tensor<5xf32>
}

// A quotient where vectors of a CPU compute it.
// CHECK-LABEL: func.func @error_function
// CHECK-SAME:    (%[[X:.+]]: f32)
// CHECK-NEXT:    math.absf %[[X]]
// CHECK:         arith.divf
// CHECK:         %[[Y:.+]] = math.copysign %{{.+}}, %[[X]]
// CHECK-NEXT:    return %[[Y]]
func.func @error_function(%x: f32) -> f32 {
  %y = math.erf %x : f32
  return %y : f32
}

// A known power is a product or a root; a power of 2 takes no logarithm.
// CHECK-LABEL: func.func @powers
// CHECK-SAME:    (%[[X:.+]]: f32, %[[Y:.+]]: f32)
// CHECK:         %[[SQUARE:.+]] = arith.mulf %[[X]], %[[X]]
// CHECK-NEXT:    %[[CUBE:.+]] = arith.mulf %[[SQUARE]], %[[X]]
// CHECK:         arith.divf %{{.+}}, %[[X]]
// CHECK:         math.sqrt
// CHECK:         math.roundeven
// CHECK-NOT:     arith.divf
// CHECK:         return
func.func @powers(%x: f32, %y: f32) -> (f32, f32, f32, f32) {
  %three = arith.constant 3 : i64
  %minus = arith.constant -1.0 : f32
  %half = arith.constant 0.5 : f32
  %two = arith.constant 2.0 : f32
  %0 = math.fpowi %x, %three : f32, i64
  %1 = math.powf %x, %minus : f32
  %2 = math.powf %x, %half : f32
  %3 = math.powf %two, %y : f32
  return %0, %1, %2, %3 : f32, f32, f32, f32
}

// Half precision is computed in single precision, also what IREE has.
// CHECK-LABEL: func.func @half_precision
// CHECK-SAME:    (%[[X:.+]]: f16)
// CHECK-NEXT:    %[[WIDE:.+]] = arith.extf %[[X]] : f16 to f32
// CHECK-NEXT:    %[[EXP:.+]] = math.exp %[[WIDE]] : f32
// CHECK-NEXT:    %[[Y:.+]] = arith.truncf %[[EXP]] : f32 to f16
// CHECK-NEXT:    return %[[Y]]
func.func @half_precision(%x: f16) -> f16 {
  %y = math.exp %x : f16
  return %y : f16
}

// -----

// GPUs get exp and log as arithmetic, too, and remainders; tanh gets its ends.
// CHECK-LABEL: module attributes
// CHECK-NOT:     math.exp
// CHECK:         return
// CHECK-LABEL: func.func @tanh
// CHECK-COUNT-1: math.tanh
// CHECK:         arith.select
// CHECK-NOT:     math.tanh
// CHECK:         return
// CHECK-LABEL: func.func @remainder
// CHECK-COUNT-33: arith.remui
// CHECK-NOT:     arith.rem
// CHECK:         math.copysign
// CHECK:         return
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @gpu(%x: f32) -> f32 {
    %y = math.exp %x : f32
    return %y : f32
  }
  func.func @tanh(%x: f32) -> f32 {
    %y = math.tanh %x : f32
    return %y : f32
  }
  func.func @remainder(%x: f32, %y: f32) -> f32 {
    %z = arith.remf %x, %y : f32
    return %z : f32
  }
}

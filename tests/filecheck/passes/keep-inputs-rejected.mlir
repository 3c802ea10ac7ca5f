// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-keep-inputs)' | FileCheck %s

#map = affine_map<(i) -> (i)>

// An op that reads an input writes elsewhere; what the network computes is its own.
// CHECK-LABEL: func.func @reads
// CHECK-NOT:     util.optimization_barrier
func.func @reads(%x: tensor<4xf32>, %one: tensor<1xf32>) -> tensor<4xf32> {
  %empty = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
    ins(%x : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %z = tensor.insert_slice %one into %y[1] [1] [1] : tensor<1xf32> into tensor<4xf32>
  return %z : tensor<4xf32>
}

// -----

// GPUs get inputs by a copy in any case.
// CHECK-LABEL: module attributes
// CHECK-NOT:     util.optimization_barrier
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @updates(%x: tensor<4xf32>, %one: tensor<1xf32>) -> tensor<4xf32> {
    %y = tensor.insert_slice %one into %x[1] [1] [1] : tensor<1xf32> into tensor<4xf32>
    return %y : tensor<4xf32>
  }
}

// -----

// States are the network's own, the other inputs are not.
// CHECK-LABEL: module attributes
// CHECK:         util.optimization_barrier
// CHECK:         tensor.insert_slice %{{.+}} into %{{.+}}[1]
// CHECK-NOT:     util.optimization_barrier
// CHECK:         tensor.insert_slice %{{.+}} into %{{.+}}[2]
module attributes {sparse_pattern.states = array<i64: 1>} {
  func.func @updates(%x: tensor<4xf32>, %state: tensor<4xf32>, %one: tensor<1xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    %y = tensor.insert_slice %one into %x[1] [1] [1] : tensor<1xf32> into tensor<4xf32>
    %z = tensor.insert_slice %one into %state[2] [1] [1] : tensor<1xf32> into tensor<4xf32>
    return %y, %z : tensor<4xf32>, tensor<4xf32>
  }
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-part-widening)' | FileCheck %s
// RUN: sed 's/"vulkan-f16"/"arm64"/' %s | niwaki-opt --pass-pipeline='builtin.module(sparse-pattern-part-widening)' | FileCheck %s --check-prefix=CPU

// CPU-NOT: util.optimization_barrier

#map = affine_map<(i, j) -> (i, j)>
#swapped = affine_map<(i, j) -> (j, i)>
#row = affine_map<(i, j) -> (i)>

module attributes {sparse_pattern.target = "vulkan-f16"} {
  // Two read the wide tensor: both from behind a barrier.
  // CHECK-LABEL: func.func @two_readers
  // CHECK:         %[[WIDE:.+]] = arith.extf
  // CHECK:         %[[ALONE:.+]] = "util.optimization_barrier"(%[[WIDE]]) : (tensor<3x5xf32>) -> tensor<3x5xf32>
  // CHECK:         linalg.generic {{.*}} ins(%[[ALONE]] : tensor<3x5xf32>)
  // CHECK:         return %{{.+}}, %[[ALONE]]
  func.func @two_readers(%x: tensor<3x5xf16>, %zero: tensor<3xf32>) -> (tensor<3xf32>, tensor<3x5xf32>) {
    %wide = arith.extf %x : tensor<3x5xf16> to tensor<3x5xf32>
    %sum = linalg.generic {indexing_maps = [#map, #row], iterator_types = ["parallel", "reduction"]}
        ins(%wide : tensor<3x5xf32>) outs(%zero : tensor<3xf32>) {
    ^bb0(%a: f32, %total: f32):
      %0 = arith.addf %a, %total : f32
      linalg.yield %0 : f32
    } -> tensor<3xf32>
    return %sum, %wide : tensor<3xf32>, tensor<3x5xf32>
  }

  // One reads it, in another order.
  // CHECK-LABEL: func.func @transposed
  // CHECK:         util.optimization_barrier
  func.func @transposed(%x: tensor<3x5xf16>, %empty: tensor<3x5xf32>, %out: tensor<5x3xf16>) -> tensor<5x3xf16> {
    %wide = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<3x5xf16>) outs(%empty : tensor<3x5xf32>) {
    ^bb0(%a: f16, %b: f32):
      %0 = arith.extf %a : f16 to f32
      linalg.yield %0 : f32
    } -> tensor<3x5xf32>
    %y = linalg.generic {indexing_maps = [#swapped, #map], iterator_types = ["parallel", "parallel"]}
        ins(%wide : tensor<3x5xf32>) outs(%out : tensor<5x3xf16>) {
    ^bb0(%a: f32, %b: f16):
      %0 = arith.truncf %a : f32 to f16
      linalg.yield %0 : f16
    } -> tensor<5x3xf16>
    return %y : tensor<5x3xf16>
  }

  // One adds it up: IREE makes one op of both. Integers of 32 bits are as wide as f32.
  // CHECK-LABEL: func.func @one_reader
  // CHECK-NOT:     util.optimization_barrier
  func.func @one_reader(%x: tensor<3x5xf16>, %n: tensor<4xi32>, %zero: tensor<3xf32>) -> (tensor<3xf32>, tensor<4xf32>, tensor<4xf32>) {
    %wide = arith.extf %x : tensor<3x5xf16> to tensor<3x5xf32>
    %sum = linalg.generic {indexing_maps = [#map, #row], iterator_types = ["parallel", "reduction"]}
        ins(%wide : tensor<3x5xf32>) outs(%zero : tensor<3xf32>) {
    ^bb0(%a: f32, %total: f32):
      %0 = arith.addf %a, %total : f32
      linalg.yield %0 : f32
    } -> tensor<3xf32>
    %float = arith.sitofp %n : tensor<4xi32> to tensor<4xf32>
    return %sum, %float, %float : tensor<3xf32>, tensor<4xf32>, tensor<4xf32>
  }
}

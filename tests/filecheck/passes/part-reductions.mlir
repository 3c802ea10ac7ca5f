// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-part-reductions)' | FileCheck %s

#whole = affine_map<(n, p, c) -> (n, c, p)>
#outer = affine_map<(n, p, c) -> (n, p)>
#rows = affine_map<(n, c, p) -> (n, c, p)>
#inner = affine_map<(n, c, p) -> (n, c)>
#map = affine_map<(i, j) -> (i, j)>

module attributes {sparse_pattern.target = "vulkan"} {
  // The sum over channels, which are not last: its reader gets it from behind a barrier.
  // CHECK-LABEL: func.func @channels
  // CHECK:         %[[SUM:.+]] = linalg.generic
  // CHECK:         %[[ALONE:.+]] = "util.optimization_barrier"(%[[SUM]]) : (tensor<2x5xf32>) -> tensor<2x5xf32>
  // CHECK:         linalg.generic {{.*}} ins(%[[ALONE]] : tensor<2x5xf32>)
  func.func @channels(%x: tensor<2x3x5xf32>, %zero: tensor<2x5xf32>) -> tensor<2x5xf32> {
    %sum = linalg.generic {
      indexing_maps = [#whole, #outer], iterator_types = ["parallel", "parallel", "reduction"]
    } ins(%x : tensor<2x3x5xf32>) outs(%zero : tensor<2x5xf32>) {
    ^bb0(%a: f32, %total: f32):
      %0 = arith.addf %a, %total : f32
      linalg.yield %0 : f32
    } -> tensor<2x5xf32>
    %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
        ins(%sum : tensor<2x5xf32>) outs(%zero : tensor<2x5xf32>) {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.negf %a : f32
      linalg.yield %0 : f32
    } -> tensor<2x5xf32>
    return %y : tensor<2x5xf32>
  }

  // The sum over the last dimension.
  // CHECK-LABEL: func.func @last
  // CHECK-NOT:     util.optimization_barrier
  func.func @last(%x: tensor<2x3x5xf32>, %zero: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %sum = linalg.generic {
      indexing_maps = [#rows, #inner], iterator_types = ["parallel", "parallel", "reduction"]
    } ins(%x : tensor<2x3x5xf32>) outs(%zero : tensor<2x3xf32>) {
    ^bb0(%a: f32, %total: f32):
      %0 = arith.addf %a, %total : f32
      linalg.yield %0 : f32
    } -> tensor<2x3xf32>
    return %sum : tensor<2x3xf32>
  }
}

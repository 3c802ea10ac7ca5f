// On GPUs a layer takes in what follows it as long as its shader has no more buffers than the target promises: four.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-fuse-epilogues)'

#map = affine_map<(n, f) -> (n, f)>
module attributes {sparse_pattern.target = "vulkan"} {
  // Input, weights, a residual and the result: no remark.
  func.func @residual(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %r: tensor<2x4xf32>) -> tensor<2x4xf32> {
    %y = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    %empty = tensor.empty() : tensor<2x4xf32>
    %sum = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%y, %r : tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %0 = arith.addf %a, %b : f32
      linalg.yield %0 : f32
    } -> tensor<2x4xf32>
    return %sum : tensor<2x4xf32>
  }
}

// -----

#map = affine_map<(n, f) -> (n, f)>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @two_residuals(%x: tensor<2x3xf32>, %w: tensor<4x3xf32>, %r: tensor<2x4xf32>,
                           %s: tensor<2x4xf32>) -> tensor<2x4xf32> {
    // expected-remark @+1 {{with what follows it its shader would have 5 buffers, and target 'vulkan' promises 4: that stays apart}}
    %y = "sparse_pattern.linear"(%x, %w) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    %empty = tensor.empty() : tensor<2x4xf32>
    %sum = linalg.generic {indexing_maps = [#map, #map, #map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%y, %r, %s : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
      %0 = arith.addf %a, %b : f32
      %1 = arith.mulf %0, %c : f32
      linalg.yield %1 : f32
    } -> tensor<2x4xf32>
    return %sum : tensor<2x4xf32>
  }
}

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-raise-attention)' | FileCheck %s
// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-raise-attention)'

// Scores are scaled, then masked by an addition and by bits that forbid: one mask of both.
// CHECK-LABEL: func.func @masked
// CHECK-SAME:    %[[Q:.+]]: tensor<6x5x8xf32>, %[[K:.+]]: tensor<6x8x7xf32>, %[[V:.+]]: tensor<6x7x4xf32>, %[[M:.+]]: tensor<7xf32>, %[[B:.+]]: tensor<2x1x5x7xi1>
// CHECK-DAG:     %[[Q4:.+]] = tensor.expand_shape %[[Q]] {{.+}} output_shape [2, 3, 5, 8]
// CHECK-DAG:     %[[T:.+]] = linalg.transpose ins(%[[K]] : tensor<6x8x7xf32>) {{.+}} permutation = [0, 2, 1]
// CHECK-DAG:     %[[K4:.+]] = tensor.expand_shape %[[T]] {{.+}} output_shape [2, 3, 7, 8]
// CHECK-DAG:     %[[V4:.+]] = tensor.expand_shape %[[V]] {{.+}} output_shape [2, 3, 7, 4]
// CHECK:         %[[MASK:.+]] = linalg.generic
// CHECK-DAG:       arith.addf
// CHECK-DAG:       arith.select
// CHECK:         -> tensor<2x1x5x7xf32>
// CHECK:         %[[Y:.+]] = "sparse_pattern.attention"(%[[Q4]], %[[K4]], %[[V4]], %[[MASK]])
// CHECK-SAME:      scale = 5.000000e-01 : f32, softcap = 0.000000e+00 : f32
// CHECK-SAME:      zeros = false
// CHECK-NOT:     linalg.batch_matmul
// CHECK:         tensor.collapse_shape %[[Y]]
#full = affine_map<(b, h, q, k) -> (b, h, q, k)>
#keys = affine_map<(b, h, q, k) -> (k)>
#bits = affine_map<(b, h, q, k) -> (b, 0, q, k)>
func.func @masked(%q: tensor<6x5x8xf32>, %k: tensor<6x8x7xf32>, %v: tensor<6x7x4xf32>, %m: tensor<7xf32>, %bits: tensor<2x1x5x7xi1>) -> tensor<6x5x4xf32> {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<6x5x7xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<6x5x7xf32>) -> tensor<6x5x7xf32>
  %s = linalg.batch_matmul ins(%q, %k : tensor<6x5x8xf32>, tensor<6x8x7xf32>) outs(%f0 : tensor<6x5x7xf32>) -> tensor<6x5x7xf32>
  %s4 = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [2, 3, 5, 7] : tensor<6x5x7xf32> into tensor<2x3x5x7xf32>
  %e1 = tensor.empty() : tensor<2x3x5x7xf32>
  %t = linalg.generic {indexing_maps = [#full, #full], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%s4 : tensor<2x3x5x7xf32>) outs(%e1 : tensor<2x3x5x7xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %half : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x5x7xf32>
  %u = linalg.generic {indexing_maps = [#keys, #full, #full], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%m, %t : tensor<7xf32>, tensor<2x3x5x7xf32>) outs(%e1 : tensor<2x3x5x7xf32>) {
  ^bb0(%mask: f32, %in: f32, %out: f32):
    %0 = arith.addf %mask, %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x5x7xf32>
  %w = linalg.generic {indexing_maps = [#bits, #full, #full], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%bits, %u : tensor<2x1x5x7xi1>, tensor<2x3x5x7xf32>) outs(%e1 : tensor<2x3x5x7xf32>) {
  ^bb0(%mask: i1, %in: f32, %out: f32):
    %0 = arith.select %mask, %lowest, %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x5x7xf32>
  %rows = tensor.collapse_shape %w [[0, 1, 2], [3]] : tensor<2x3x5x7xf32> into tensor<30x7xf32>
  %p = "sparse_pattern.normalize"(%rows) ({
  ^bb0(%in: f32):
    "sparse_pattern.yield"(%in) : (f32) -> ()
  }) {epsilon = 0.0 : f32, kind = "softmax", operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<30x7xf32>) -> tensor<30x7xf32>
  %p3 = tensor.expand_shape %p [[0, 1], [2]] output_shape [6, 5, 7] : tensor<30x7xf32> into tensor<6x5x7xf32>
  %e2 = tensor.empty() : tensor<6x5x4xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<6x5x4xf32>) -> tensor<6x5x4xf32>
  %y = linalg.batch_matmul ins(%p3, %v : tensor<6x5x7xf32>, tensor<6x7x4xf32>) outs(%f2 : tensor<6x5x4xf32>) -> tensor<6x5x4xf32>
  return %y : tensor<6x5x4xf32>
}

// -----

// The network returns the scores.
// CHECK-LABEL: func.func @read_by_others
// CHECK-NOT:     sparse_pattern.attention
func.func @read_by_others(%q: tensor<5x8xf32>, %k: tensor<8x7xf32>, %v: tensor<7x4xf32>) -> (tensor<5x4xf32>, tensor<5x7xf32>) {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<5x7xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %s = linalg.matmul ins(%q, %k : tensor<5x8xf32>, tensor<8x7xf32>) outs(%f0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  // expected-remark @+1 {{attention is left to IREE: its scores are read by others too}}
  %p = "sparse_pattern.normalize"(%s) ({
  ^bb0(%in: f32):
    "sparse_pattern.yield"(%in) : (f32) -> ()
  }) {epsilon = 0.0 : f32, kind = "softmax", operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<5x7xf32>) -> tensor<5x7xf32>
  %e2 = tensor.empty() : tensor<5x4xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<5x4xf32>) -> tensor<5x4xf32>
  %y = linalg.matmul ins(%p, %v : tensor<5x7xf32>, tensor<7x4xf32>) outs(%f2 : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y, %s : tensor<5x4xf32>, tensor<5x7xf32>
}

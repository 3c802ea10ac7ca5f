// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-raise-products)' | FileCheck %s

// What a product begins with is added, row by row.
// CHECK-LABEL: func.func @batch
// CHECK-SAME:    %[[A:.+]]: tensor<2x5x8xf32>, %[[B:.+]]: tensor<2x8x3xf32>, %[[C:.+]]: tensor<2x5x3xf32>
// CHECK:         %[[ADDED:.+]] = tensor.collapse_shape %[[C]]
// CHECK:         %[[Y:.+]] = "sparse_pattern.product"(%[[A]], %[[B]], %[[ADDED]])
// CHECK:           arith.addf
// CHECK:         -> tensor<10x3xf32>
// CHECK:         tensor.expand_shape %[[Y]] {{.+}} output_shape [2, 5, 3]
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @batch(%a: tensor<2x5x8xf32>, %b: tensor<2x8x3xf32>, %c: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
    %y = linalg.batch_matmul ins(%a, %b : tensor<2x5x8xf32>, tensor<2x8x3xf32>) outs(%c : tensor<2x5x3xf32>) -> tensor<2x5x3xf32>
    return %y : tensor<2x5x3xf32>
  }
}

// -----

// Two matrices are a batch of one.
// CHECK-LABEL: func.func @matrices
// CHECK:         %[[Y:.+]] = "sparse_pattern.product"
// CHECK:         (tensor<1x5x8xf32>, tensor<1x8x3xf32>) -> tensor<5x3xf32>
// CHECK:         return %[[Y]]
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @matrices(%a: tensor<5x8xf32>, %b: tensor<8x3xf32>) -> tensor<5x3xf32> {
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<5x3xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<5x3xf32>) -> tensor<5x3xf32>
    %y = linalg.matmul ins(%a, %b : tensor<5x8xf32>, tensor<8x3xf32>) outs(%f : tensor<5x3xf32>) -> tensor<5x3xf32>
    return %y : tensor<5x3xf32>
  }
}

// -----

// Weights, transposed or not, are for linear layers, and other types for IREE.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     sparse_pattern.product
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @others(%a: tensor<2x2xf32>, %h: tensor<2x2xf16>, %c: tensor<2x2xf32>, %d: tensor<2x2xf16>) -> (tensor<2x2xf32>, tensor<2x2xf16>) {
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<2x2xf32>
    %t = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
    %y = linalg.matmul ins(%a, %t : tensor<2x2xf32>, tensor<2x2xf32>) outs(%c : tensor<2x2xf32>) -> tensor<2x2xf32>
    %z = linalg.matmul ins(%h, %h : tensor<2x2xf16>, tensor<2x2xf16>) outs(%d : tensor<2x2xf16>) -> tensor<2x2xf16>
    return %y, %z : tensor<2x2xf32>, tensor<2x2xf16>
  }
}

// -----

// Shaders are IREE's.
// CHECK-LABEL: func.func @on_gpus
// CHECK:         linalg.matmul
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @on_gpus(%a: tensor<5x8xf32>, %b: tensor<8x3xf32>, %c: tensor<5x3xf32>) -> tensor<5x3xf32> {
    %y = linalg.matmul ins(%a, %b : tensor<5x8xf32>, tensor<8x3xf32>) outs(%c : tensor<5x3xf32>) -> tensor<5x3xf32>
    return %y : tensor<5x3xf32>
  }
}

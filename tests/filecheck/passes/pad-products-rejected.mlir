// Products that stay as they are.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-pad-products)' | FileCheck %s
// CHECK-NOT: tensor.pad

// Sizes that IREE is fast at, and one where copies would cost more than they save: few products in each sum.
module attributes {sparse_pattern.target = "x86-64-v4"} {
func.func @good_sizes(%a: tensor<3x96x64xf32>, %b: tensor<3x64x192xf32>) -> tensor<3x96x192xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x96x192xf32>
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x96x64xf32>, tensor<3x64x192xf32>)
    outs(%zero : tensor<3x96x192xf32>) -> tensor<3x96x192xf32>
  return %y : tensor<3x96x192xf32>
}

func.func @few_products(%a: tensor<3x96x3xf32>, %b: tensor<3x3x200xf32>) -> tensor<3x96x200xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x96x200xf32>
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x96x3xf32>, tensor<3x3x200xf32>)
    outs(%zero : tensor<3x96x200xf32>) -> tensor<3x96x200xf32>
  return %y : tensor<3x96x200xf32>
}

// It adds to what is there.
func.func @onto_others(%a: tensor<3x197x64xf32>, %b: tensor<3x64x197xf32>, %c: tensor<3x197x197xf32>) -> tensor<3x197x197xf32> {
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x197x64xf32>, tensor<3x64x197xf32>)
    outs(%c : tensor<3x197x197xf32>) -> tensor<3x197x197xf32>
  return %y : tensor<3x197x197xf32>
}

// Integers, and a size that is not known.
func.func @integers(%a: tensor<3x197x64xi32>, %b: tensor<3x64x197xi32>) -> tensor<3x197x197xi32> {
  %zero = arith.constant dense<0> : tensor<3x197x197xi32>
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x197x64xi32>, tensor<3x64x197xi32>)
    outs(%zero : tensor<3x197x197xi32>) -> tensor<3x197x197xi32>
  return %y : tensor<3x197x197xi32>
}

func.func @dynamic(%a: tensor<?x197x64xf32>, %b: tensor<?x64x197xf32>, %c: tensor<?x197x197xf32>) -> tensor<?x197x197xf32> {
  %y = linalg.batch_matmul ins(%a, %b : tensor<?x197x64xf32>, tensor<?x64x197xf32>)
    outs(%c : tensor<?x197x197xf32>) -> tensor<?x197x197xf32>
  return %y : tensor<?x197x197xf32>
}
}

// -----

// Every size is as good as others.
module attributes {sparse_pattern.target = "x86-64-v3"} {
func.func @other_target(%a: tensor<3x197x64xf32>, %b: tensor<3x64x197xf32>) -> tensor<3x197x197xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x197x197xf32>
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x197x64xf32>, tensor<3x64x197xf32>)
    outs(%zero : tensor<3x197x197xf32>) -> tensor<3x197x197xf32>
  return %y : tensor<3x197x197xf32>
}
}

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-pad-products)' | FileCheck %s

#left = affine_map<(b, m, n, k) -> (b, m, k)>
#right = affine_map<(b, m, n, k) -> (b, n, k)>
#result = affine_map<(b, m, n, k) -> (b, m, n)>

module attributes {sparse_pattern.target = "x86-64-v4"} {

// Rows to a multiple of 8 and columns to one of 64; the contracted dimension stays.
// CHECK-LABEL: func.func @plain
// CHECK-SAME:    (%[[A:.+]]: tensor<3x197x64xf32>, %[[B:.+]]: tensor<3x64x197xf32>)
// CHECK:         %[[ZERO:.+]] = arith.constant 0.0
// CHECK:         %[[LEFT:.+]] = tensor.pad %[[A]] low[0, 0, 0] high[0, 3, 0]
// CHECK:         %[[RIGHT:.+]] = tensor.pad %[[B]] low[0, 0, 0] high[0, 0, 59]
// CHECK:         %[[START:.+]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.+}} : tensor<3x200x256xf32>)
// CHECK:         %[[LARGE:.+]] = linalg.batch_matmul ins(%[[LEFT]], %[[RIGHT]] : tensor<3x200x64xf32>, tensor<3x64x256xf32>) outs(%[[START]]
// CHECK:         %[[PART:.+]] = tensor.extract_slice %[[LARGE]][0, 0, 0] [3, 197, 197] [1, 1, 1]
// CHECK:         return %[[PART]]
func.func @plain(%a: tensor<3x197x64xf32>, %b: tensor<3x64x197xf32>) -> tensor<3x197x197xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x197x197xf32>
  %y = linalg.batch_matmul ins(%a, %b : tensor<3x197x64xf32>, tensor<3x64x197xf32>)
    outs(%zero : tensor<3x197x197xf32>) -> tensor<3x197x197xf32>
  return %y : tensor<3x197x197xf32>
}

// The second factor is read transposed, and has enough rows.
// CHECK-LABEL: func.func @transposed
// CHECK:         tensor.pad %{{.+}} low[0, 0, 0] high[0, 29, 0]
// CHECK:         linalg.batch_matmul indexing_maps = [{{.+}}] ins(%{{.+}}, %{{.+}} : tensor<3x128x64xf32>, tensor<3x128x64xf32>)
// CHECK:         tensor.extract_slice %{{.+}}[0, 0, 0] [3, 128, 99] [1, 1, 1]
func.func @transposed(%a: tensor<3x128x64xf32>, %b: tensor<3x99x64xf32>) -> tensor<3x128x99xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x128x99xf32>
  %y = linalg.batch_matmul indexing_maps = [#left, #right, #result]
    ins(%a, %b : tensor<3x128x64xf32>, tensor<3x99x64xf32>) outs(%zero : tensor<3x128x99xf32>) -> tensor<3x128x99xf32>
  return %y : tensor<3x128x99xf32>
}

// Matrices without images; columns are fine as they are.
// CHECK-LABEL: func.func @matrices
// CHECK-COUNT-1: tensor.pad %{{.+}} low[0, 0] high[3, 0]
// CHECK:         linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<200x197xf32>, tensor<197x64xf32>)
// CHECK:         tensor.extract_slice %{{.+}}[0, 0] [197, 64] [1, 1]
func.func @matrices(%a: tensor<197x197xf32>, %b: tensor<197x64xf32>) -> tensor<197x64xf32> {
  %zero = arith.constant dense<0.0> : tensor<197x64xf32>
  %y = linalg.matmul ins(%a, %b : tensor<197x197xf32>, tensor<197x64xf32>)
    outs(%zero : tensor<197x64xf32>) -> tensor<197x64xf32>
  return %y : tensor<197x64xf32>
}

}

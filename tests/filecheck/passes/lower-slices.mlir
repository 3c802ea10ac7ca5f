// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-lower-slices)' | FileCheck %s

// Where it begins and every how many elements it takes.
// CHECK-LABEL: func.func @strided
// CHECK-SAME:    (%[[X:.+]]: tensor<4x9x5xf32>)
// CHECK:         %[[EMPTY:.+]] = tensor.empty() : tensor<2x3x5xf32>
// CHECK:         %[[Y:.+]] = linalg.generic {{.*}} outs(%[[EMPTY]] : tensor<2x3x5xf32>)
// CHECK:           %[[I:.+]] = linalg.index 0
// CHECK:           %[[IMAGE:.+]] = arith.addi %[[I]], %{{c1.*}} : index
// CHECK:           %[[J:.+]] = linalg.index 1
// CHECK:           %[[STEPS:.+]] = arith.muli %[[J]], %{{c3.*}} : index
// CHECK:           %[[ROW:.+]] = arith.addi %[[STEPS]], %{{c2.*}} : index
// CHECK:           %[[COLUMN:.+]] = linalg.index 2
// CHECK-NEXT:      %[[A:.+]] = tensor.extract %[[X]][%[[IMAGE]], %[[ROW]], %[[COLUMN]]]
// CHECK-NEXT:      linalg.yield %[[A]]
// CHECK:         return %[[Y]]
func.func @strided(%x: tensor<4x9x5xf32>) -> tensor<2x3x5xf32> {
  %y = tensor.extract_slice %x[1, 2, 0] [2, 3, 5] [1, 3, 1] : tensor<4x9x5xf32> to tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}

// A stride between elements of which there is one, and slices of neighbours: IREE copies them.
// CHECK-LABEL: func.func @neighbours
// CHECK-COUNT-2: tensor.extract_slice
// CHECK-NOT:     linalg.generic
func.func @neighbours(%x: tensor<4x9x5xi64>) -> (tensor<2x9x5xi64>, tensor<4x1x5xi64>) {
  %y = tensor.extract_slice %x[1, 0, 0] [2, 9, 5] [1, 1, 1] : tensor<4x9x5xi64> to tensor<2x9x5xi64>
  %z = tensor.extract_slice %x[0, 2, 0] [4, 1, 5] [1, 3, 1] : tensor<4x9x5xi64> to tensor<4x1x5xi64>
  return %y, %z : tensor<2x9x5xi64>, tensor<4x1x5xi64>
}

// Places that are computed, and a result of lower rank.
// CHECK-LABEL: func.func @unknown
// CHECK-COUNT-2: tensor.extract_slice
// CHECK-NOT:     linalg.generic
func.func @unknown(%x: tensor<4x9xf32>, %at: index) -> (tensor<4x2xf32>, tensor<3xf32>) {
  %y = tensor.extract_slice %x[0, %at] [4, 2] [1, 2] : tensor<4x9xf32> to tensor<4x2xf32>
  %z = tensor.extract_slice %x[1, 0] [1, 3] [1, 2] : tensor<4x9xf32> to tensor<3xf32>
  return %y, %z : tensor<4x2xf32>, tensor<3xf32>
}

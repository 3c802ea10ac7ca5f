// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-cut-concats)' | FileCheck %s

// A part, some of one, parts of two, then a part of these; what is of all stays, and so does what skips elements.
// CHECK-LABEL: func.func @parts
// CHECK-SAME:    %[[A:[^:]+]]: tensor<1x3xf32>, %[[B:[^:]+]]: tensor<2x3xf32>, %[[C:[^:]+]]: tensor<2x3xf32>
// CHECK:         %[[ALL:.+]] = tensor.concat dim(0) %[[A]], %[[B]], %[[C]]
// CHECK-NEXT:    %[[SOME:.+]] = tensor.extract_slice %[[C]][1, 1] [1, 1] [1, 2]
// CHECK-NEXT:    %[[B1:.+]] = tensor.extract_slice %[[B]][1, 0] [1, 3] [1, 1]
// CHECK-NEXT:    %[[TWO:.+]] = tensor.concat dim(0) %[[B1]], %[[C]] : {{.+}} -> tensor<3x3xf32>
// CHECK-NEXT:    %[[MOST:.+]] = tensor.extract_slice %[[ALL]][0, 0] [4, 3] [1, 1]
// CHECK-NEXT:    %[[SKIPS:.+]] = tensor.extract_slice %[[ALL]][1, 0] [2, 3] [2, 1]
// CHECK-NEXT:    return %[[B]], %[[SOME]], %[[TWO]], %[[C]], %[[MOST]], %[[SKIPS]]
func.func @parts(%a: tensor<1x3xf32>, %b: tensor<2x3xf32>, %c: tensor<2x3xf32>)
    -> (tensor<2x3xf32>, tensor<1x1xf32>, tensor<3x3xf32>, tensor<2x3xf32>, tensor<4x3xf32>, tensor<2x3xf32>) {
  %all = tensor.concat dim(0) %a, %b, %c : (tensor<1x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<5x3xf32>
  %0 = tensor.extract_slice %all[1, 0] [2, 3] [1, 1] : tensor<5x3xf32> to tensor<2x3xf32>
  %1 = tensor.extract_slice %all[4, 1] [1, 1] [1, 2] : tensor<5x3xf32> to tensor<1x1xf32>
  %2 = tensor.extract_slice %all[2, 0] [3, 3] [1, 1] : tensor<5x3xf32> to tensor<3x3xf32>
  %3 = tensor.extract_slice %2[1, 0] [2, 3] [1, 1] : tensor<3x3xf32> to tensor<2x3xf32>
  %4 = tensor.extract_slice %all[0, 0] [4, 3] [1, 1] : tensor<5x3xf32> to tensor<4x3xf32>
  %5 = tensor.extract_slice %all[1, 0] [2, 3] [2, 1] : tensor<5x3xf32> to tensor<2x3xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x3xf32>, tensor<1x1xf32>, tensor<3x3xf32>, tensor<2x3xf32>, tensor<4x3xf32>, tensor<2x3xf32>
}

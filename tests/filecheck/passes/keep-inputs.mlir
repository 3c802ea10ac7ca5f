// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-keep-inputs)' | FileCheck %s

#map = affine_map<(i, j) -> (i, j)>

// A row of an input is replaced: what is written to is a copy.
// CHECK-LABEL: func.func @row
// CHECK-SAME:    (%[[X:.+]]: tensor<3x4xf32>, %[[ROW:.+]]: tensor<1x4xf32>)
// CHECK:         %[[ZERO:.+]] = "util.optimization_barrier"(%{{.+}}) : (i32) -> i32
// CHECK:         %[[COPY:.+]] = linalg.generic {{.*}} ins(%[[X]] : tensor<3x4xf32>)
// CHECK-NEXT:    ^bb0(%[[IN:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT:      %[[BITS:.+]] = arith.bitcast %[[IN]] : f32 to i32
// CHECK-NEXT:      %[[SAME:.+]] = arith.ori %[[BITS]], %[[ZERO]] : i32
// CHECK-NEXT:      %[[OUT:.+]] = arith.bitcast %[[SAME]] : i32 to f32
// CHECK-NEXT:      linalg.yield %[[OUT]] : f32
// CHECK:         tensor.insert_slice %[[ROW]] into %[[COPY]]
func.func @row(%x: tensor<3x4xf32>, %row: tensor<1x4xf32>) -> tensor<3x4xf32> {
  %y = tensor.insert_slice %row into %x[1, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// A sum that starts with an input. Integers need no cast, and a view of an input is one.
// CHECK-LABEL: func.func @sum
// CHECK-SAME:    (%[[X:.+]]: tensor<12xi64>, %[[Y:.+]]: tensor<3x4xi64>)
// CHECK:         %[[VIEW:.+]] = tensor.expand_shape %[[X]]
// CHECK:         %[[COPY:.+]] = linalg.generic {{.*}} ins(%[[VIEW]] : tensor<3x4xi64>)
// CHECK-NOT:     arith.bitcast
// CHECK:         linalg.generic {{.*}} ins(%[[Y]] : tensor<3x4xi64>) outs(%[[COPY]] : tensor<3x4xi64>)
func.func @sum(%x: tensor<12xi64>, %y: tensor<3x4xi64>) -> tensor<3x4xi64> {
  %view = tensor.expand_shape %x [[0, 1]] output_shape [3, 4] : tensor<12xi64> into tensor<3x4xi64>
  %z = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<3x4xi64>) outs(%view : tensor<3x4xi64>) {
  ^bb0(%a: i64, %b: i64):
    %0 = arith.addi %a, %b : i64
    linalg.yield %0 : i64
  } -> tensor<3x4xi64>
  return %z : tensor<3x4xi64>
}

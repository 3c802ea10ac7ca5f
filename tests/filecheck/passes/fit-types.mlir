// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-fit-types)' | FileCheck %s

// Ids are looked up with 32 bits, and come out with 64 again; the network's own types stay.
// CHECK-LABEL: func.func @indices(
// CHECK-SAME:    %[[IDS:.+]]: tensor<3xi64>, %[[TABLE:.+]]: tensor<9xf32>) -> (tensor<3xf32>, tensor<3xi64>)
// CHECK:         %[[WORDS:.+]] = "flow.tensor.bitcast"(%[[IDS]]) {{.*}} : (tensor<3xi64>) -> tensor<3x2xi32>
// CHECK:         %[[LOW:.+]] = tensor.extract_slice %[[WORDS]][0, 0] [3, 1] [1, 1] : tensor<3x2xi32> to tensor<3xi32>
// CHECK:         arith.constant dense<[0, 2147483647, -2147483648]> : tensor<3xi32>
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[LOW]], %{{.+}} : tensor<3xi32>, tensor<3xi32>)
// CHECK-NEXT:    ^bb0(%{{.+}}: i32, %{{.+}}: i32, %{{.+}}: f32, %{{.+}}: i32):
// CHECK:           %[[NARROW:.+]] = linalg.index 0
// CHECK:           arith.index_cast %[[NARROW]] : index to i32
// CHECK-NOT:       ext
// CHECK-NOT:       trunc
// CHECK:           arith.index_cast %{{.+}} : i32 to index
// CHECK:         %[[SIGN:.+]] = arith.shrsi %[[SUM:.+]], %{{.+}} : tensor<3xi32>
// CHECK:         tensor.insert_slice %[[SUM]] into %{{.+}}[0, 0] [3, 1] [1, 1] : tensor<3xi32> into tensor<3x2xi32>
// CHECK:         %[[PAIRS:.+]] = tensor.insert_slice %[[SIGN]] into %{{.+}}[0, 1] [3, 1] [1, 1]
// CHECK:         %[[WIDE:.+]] = "flow.tensor.bitcast"(%[[PAIRS]]) {{.*}} : (tensor<3x2xi32>) -> tensor<3xi64>
// CHECK:         return %{{.+}}, %[[WIDE]] : tensor<3xf32>, tensor<3xi64>
#each = affine_map<(d0) -> (d0)>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @indices(%ids: tensor<3xi64>, %table: tensor<9xf32>) -> (tensor<3xf32>, tensor<3xi64>) {
    %added = arith.constant dense<[0, 9223372036854775807, -9223372036854775808]> : tensor<3xi64>
    %values = tensor.empty() : tensor<3xf32>
    %sums = tensor.empty() : tensor<3xi64>
    %0:2 = linalg.generic {indexing_maps = [#each, #each, #each, #each], iterator_types = ["parallel"]}
        ins(%ids, %added : tensor<3xi64>, tensor<3xi64>) outs(%values, %sums : tensor<3xf32>, tensor<3xi64>) {
    ^bb0(%id: i64, %more: i64, %out: f32, %sum_out: i64):
      %i = linalg.index 0 : index
      %number = arith.index_cast %i : index to i64
      %word = arith.trunci %number : i64 to i32
      %wide = arith.extsi %word : i32 to i64
      %1 = arith.addi %id, %wide : i64
      %2 = arith.addi %1, %more : i64
      %at = arith.index_cast %1 : i64 to index
      %value = tensor.extract %table[%at] : tensor<9xf32>
      linalg.yield %value, %2 : f32, i64
    } -> (tensor<3xf32>, tensor<3xi64>)
    return %0#0, %0#1 : tensor<3xf32>, tensor<3xi64>
  }
}

// -----

// These GPUs have 64 bits.
// CHECK-LABEL: func.func @wide
// CHECK-NEXT:    arith.addi %{{.+}} : tensor<3xi64>
// CHECK-NEXT:    return
module attributes {sparse_pattern.target = "vulkan-desktop"} {
  func.func @wide(%x: tensor<3xi64>) -> tensor<3xi64> {
    %0 = arith.addi %x, %x : tensor<3xi64>
    return %0 : tensor<3xi64>
  }
}

// -----

// So has every CPU.
// CHECK-LABEL: func.func @cpu
// CHECK-NEXT:    arith.addi %{{.+}} : tensor<3xi64>
// CHECK-NEXT:    return
module attributes {sparse_pattern.target = "arm64"} {
  func.func @cpu(%x: tensor<3xi64>) -> tensor<3xi64> {
    %0 = arith.addi %x, %x : tensor<3xi64>
    return %0 : tensor<3xi64>
  }
}

// -----

// Bytes in fours are packed into words.
// CHECK-LABEL: func.func @fours
// CHECK-NEXT:    arith.cmpf
// CHECK-NEXT:    return
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @fours(%x: tensor<2x6xf32>) -> tensor<2x6xi1> {
    %0 = arith.cmpf ogt, %x, %x : tensor<2x6xf32>
    return %0 : tensor<2x6xi1>
  }
}

// -----

// A constant without dimensions keeps none.
// CHECK-LABEL: func.func @scalar(
// CHECK:         arith.constant dense<1> : tensor<i32>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @scalar(%x: tensor<f32>) -> tensor<f32> {
    %one = arith.constant dense<1> : tensor<i64>
    %empty = tensor.empty() : tensor<f32>
    %y = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
        ins(%x, %one : tensor<f32>, tensor<i64>) outs(%empty : tensor<f32>) {
    ^bb0(%a: f32, %b: i64, %out: f32):
      %0 = arith.sitofp %b : i64 to f32
      %1 = arith.subf %0, %a : f32
      linalg.yield %1 : f32
    } -> tensor<f32>
    return %y : tensor<f32>
  }
}

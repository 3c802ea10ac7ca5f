// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-widen-bytes)' | FileCheck %s

// A mask is kept as words, and computed with as before.
// CHECK-LABEL: func.func @mask(
// CHECK:         %[[SEEN:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<3x5xi32>)
// CHECK:           %[[BIT:.+]] = arith.cmpf
// CHECK:           %[[WORD:.+]] = arith.extui %[[BIT]] : i1 to i32
// CHECK:           linalg.yield %[[WORD]] : i32
// CHECK:         %[[ROW:.+]] = tensor.extract_slice %[[SEEN]]{{.*}} : tensor<3x5xi32> to tensor<5xi32>
// CHECK:         linalg.generic {{.*}} ins(%[[ROW]] : tensor<5xi32>)
// CHECK-NEXT:    ^bb0(%[[KEPT:.+]]: i32, %{{.+}}: f32):
// CHECK:           %[[CUT:.+]] = arith.trunci %[[KEPT]] : i32 to i1
// CHECK:           arith.uitofp %[[CUT]] : i1 to f32
#same = affine_map<(d0, d1) -> (d0, d1)>
#each = affine_map<(d0) -> (d0)>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @mask(%x: tensor<3x5xf32>) -> tensor<5xf32> {
    %bits = tensor.empty() : tensor<3x5xi1>
    %seen = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<3x5xf32>) outs(%bits : tensor<3x5xi1>) {
    ^bb0(%a: f32, %out: i1):
      %bit = arith.cmpf ogt, %a, %a : f32
      linalg.yield %bit : i1
    } -> tensor<3x5xi1>
    %row = tensor.extract_slice %seen[1, 0] [1, 5] [1, 1] : tensor<3x5xi1> to tensor<5xi1>
    %empty = tensor.empty() : tensor<5xf32>
    %y = linalg.generic {indexing_maps = [#each, #each], iterator_types = ["parallel"]}
        ins(%row : tensor<5xi1>) outs(%empty : tensor<5xf32>) {
    ^bb0(%bit: i1, %out: f32):
      %number = arith.uitofp %bit : i1 to f32
      linalg.yield %number : f32
    } -> tensor<5xf32>
    return %y : tensor<5xf32>
  }
}

// -----

// Constants, values that fill, borders and single elements; of bytes as of booleans.
// CHECK-LABEL: func.func @others(
// CHECK:         arith.constant dense<[1, 0, 1]> : tensor<3xi32>
// CHECK:         arith.constant dense<[255, 128, 1]> : tensor<3xi32>
// CHECK:         %[[TRUE:.+]] = arith.extui %{{.+}} : i1 to i32
// CHECK:         linalg.fill ins(%[[TRUE]] : i32) outs(%{{.+}} : tensor<5xi32>)
// CHECK:         tensor.pad
// CHECK:           %[[BORDER:.+]] = arith.extui %{{.+}} : i1 to i32
// CHECK:           tensor.yield %[[BORDER]] : i32
// CHECK:         linalg.transpose ins(%{{.+}} : tensor<5x1xi32>) outs(%{{.+}} : tensor<1x5xi32>)
// CHECK:         %[[ELEMENT:.+]] = tensor.extract %{{.+}} : tensor<3xi32>
// CHECK:         arith.trunci %[[ELEMENT]] : i32 to i8
#each = affine_map<(d0) -> (d0)>
module attributes {sparse_pattern.target = "vulkan-adreno"} {
  func.func @others(%x: tensor<3xf32>) -> tensor<3xf32> {
    %bits = arith.constant dense<[true, false, true]> : tensor<3xi1>
    %bytes = arith.constant dense<[-1, -128, 1]> : tensor<3xi8>
    %true = arith.constant true
    %five = tensor.empty() : tensor<5xi1>
    %filled = linalg.fill ins(%true : i1) outs(%five : tensor<5xi1>) -> tensor<5xi1>
    %padded = tensor.pad %bits low[1] high[1] {
    ^bb0(%i: index):
      tensor.yield %true : i1
    } : tensor<3xi1> to tensor<5xi1>
    %column = tensor.expand_shape %padded [[0, 1]] output_shape [5, 1] : tensor<5xi1> into tensor<5x1xi1>
    %turned = tensor.empty() : tensor<1x5xi1>
    %row = linalg.transpose ins(%column : tensor<5x1xi1>) outs(%turned : tensor<1x5xi1>) permutation = [1, 0]
    %empty = tensor.empty() : tensor<3xf32>
    %y = linalg.generic {indexing_maps = [#each, #each], iterator_types = ["parallel"]}
        ins(%x : tensor<3xf32>) outs(%empty : tensor<3xf32>) {
    ^bb0(%a: f32, %out: f32):
      %at = linalg.index 0 : index
      %byte = tensor.extract %bytes[%at] : tensor<3xi8>
      %number = arith.sitofp %byte : i8 to f32
      linalg.yield %number : f32
    } -> tensor<3xf32>
    return %y : tensor<3xf32>
  }
}

// -----

// The network's own inputs and outputs keep their types.
// CHECK-LABEL: func.func @own(
// CHECK-SAME:    %[[X:.+]]: tensor<2x4xi1>) -> tensor<1x4xi1>
// CHECK:         %[[WORDS:.+]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x4xi1>) outs(%{{.+}} : tensor<2x4xi32>)
// CHECK:         %[[PART:.+]] = tensor.extract_slice %[[WORDS]][0, 0] [1, 3] [1, 1] : tensor<2x4xi32> to tensor<1x3xi32>
// CHECK:         %[[LAST:.+]] = tensor.insert_slice %[[PART]]
// CHECK:         %[[BITS:.+]] = linalg.generic {{.*}} ins(%[[LAST]] : tensor<1x4xi32>) outs(%{{.+}} : tensor<1x4xi1>)
// CHECK:         return %[[BITS]] : tensor<1x4xi1>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @own(%x: tensor<2x4xi1>) -> tensor<1x4xi1> {
    %part = tensor.extract_slice %x[0, 0] [1, 3] [1, 1] : tensor<2x4xi1> to tensor<1x3xi1>
    %row = tensor.extract_slice %x[1, 0] [1, 4] [1, 1] : tensor<2x4xi1> to tensor<1x4xi1>
    %last = tensor.insert_slice %part into %row[0, 0] [1, 3] [1, 1] : tensor<1x3xi1> into tensor<1x4xi1>
    return %last : tensor<1x4xi1>
  }
}

// -----

// Fours are right as they are; so is everything where shaders have bytes, and on CPUs.
// CHECK-LABEL: func.func @fours
// CHECK-NEXT:    tensor.extract_slice {{.*}} to tensor<1x4xi1>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @fours(%x: tensor<2x4xi1>) -> tensor<1x4xi1> {
    %row = tensor.extract_slice %x[1, 0] [1, 4] [1, 1] : tensor<2x4xi1> to tensor<1x4xi1>
    return %row : tensor<1x4xi1>
  }
}

// -----

// CHECK-LABEL: func.func @stored
// CHECK-NEXT:    tensor.extract_slice {{.*}} to tensor<1x3xi1>
module attributes {sparse_pattern.target = "vulkan-desktop"} {
  func.func @stored(%x: tensor<2x3xi1>) -> tensor<1x3xi1> {
    %row = tensor.extract_slice %x[1, 0] [1, 3] [1, 1] : tensor<2x3xi1> to tensor<1x3xi1>
    return %row : tensor<1x3xi1>
  }
}

// -----

// Of ops that may not take words nothing changes: fit-types refuses what is odd.
// CHECK-LABEL: func.func @unknown
// CHECK-NEXT:    arith.cmpf {{.*}} : tensor<3x5xf32>
// CHECK-NEXT:    return
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @unknown(%x: tensor<3x5xf32>) -> tensor<3x5xi1> {
    %0 = arith.cmpf ogt, %x, %x : tensor<3x5xf32>
    return %0 : tensor<3x5xi1>
  }
}

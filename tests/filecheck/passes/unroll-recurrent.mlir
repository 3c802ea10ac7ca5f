// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent{always=true})' | FileCheck %s
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-unroll-recurrent)' | FileCheck %s --check-prefix=KERNEL

// Where there is a kernel nothing is unrolled, but what has no constant weights.
// KERNEL-COUNT-3: "sparse_pattern.recurrent"
// KERNEL-NOT: "sparse_pattern.recurrent"

// CHECK-DAG:     #[[SEQUENCE:.+]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG:     #[[UNIT:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG:     #[[LEFT:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:     #[[ROWS:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG:     #[[RESULT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// Two steps; both multiply by one matrix.
// CHECK-LABEL: func.func @steps
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3x5xf32>, %[[BEGIN:.+]]: tensor<1x3x5xf32>)
// CHECK:         %[[W:.+]] = arith.constant
// CHECK:         %[[H0:.+]] = tensor.extract_slice %[[BEGIN]][0, 0, 0] [1, 3, 5]
// CHECK:         %[[X0:.+]] = tensor.extract_slice %[[X]][0, 0, 0] [1, 3, 5]
// CHECK:         %[[P0:.+]] = linalg.matmul indexing_maps = [#[[LEFT]], #[[ROWS]], #[[RESULT]]] ins(%[[H0]], %[[W]] :
// CHECK:         %[[H1:.+]] = linalg.generic {{.+}} ins(%[[P0]], %[[X0]], %[[H0]] :
// CHECK-NEXT:    ^bb0(%[[P:.+]]: f32, %[[I:.+]]: f32, %[[S:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT:      %[[SUM:.+]] = arith.addf %[[P]], %[[I]]
// CHECK-NEXT:      %[[NEXT:.+]] = math.tanh %[[SUM]]
// CHECK-NEXT:      linalg.yield %[[NEXT]]
// CHECK:         %[[X1:.+]] = tensor.extract_slice %[[X]][1, 0, 0] [1, 3, 5]
// CHECK:         %[[P1:.+]] = linalg.matmul {{.+}} ins(%[[H1]], %[[W]] :
// CHECK:         %[[H2:.+]] = linalg.generic {{.+}} ins(%[[P1]], %[[X1]], %[[H1]] :
// CHECK:         %[[FIRST:.+]] = tensor.insert_slice %[[H1]] into %{{.+}}[0, 0, 0]
// CHECK:         %[[Y:.+]] = tensor.insert_slice %[[H2]] into %[[FIRST]][1, 0, 0]
// CHECK:         %[[LAST:.+]] = tensor.insert_slice %[[H2]] into %{{.+}}[0, 0, 0] [1, 3, 5] [1, 1, 1] : tensor<3x5xf32> into tensor<1x3x5xf32>
// CHECK:         return %[[Y]], %[[LAST]]
func.func @steps(%x: tensor<2x3x5xf32>, %begin: tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>) {
  %w = arith.constant dense<0.5> : tensor<5x5xf32>
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%product: f32, %input: f32, %state: f32):
    %sum = arith.addf %product, %input : f32
    %next = math.tanh %sum : f32
    "sparse_pattern.next"(%next) : (f32) -> ()
  }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<2x3x5xf32>, tensor<5x5xf32>, tensor<1x3x5xf32>) -> (tensor<2x3x5xf32>, tensor<1x3x5xf32>)
  return %y, %last : tensor<2x3x5xf32>, tensor<1x3x5xf32>
}

// Backwards, two gates, two states, a number per unit. Where a sequence is shorter, its states stay and it gives zero.
// CHECK-LABEL: func.func @lengths
// CHECK-SAME:    (%[[X:.+]]: tensor<2x3x10xf32>, %[[BEGIN:.+]]: tensor<2x3x5xf32>, %[[LENGTHS:.+]]: tensor<3xi32>, %[[BIAS:.+]]: tensor<1x5xf32>)
// CHECK-DAG:     %[[H0:.+]] = tensor.extract_slice %[[BEGIN]][0, 0, 0]
// CHECK-DAG:     %[[C0:.+]] = tensor.extract_slice %[[BEGIN]][1, 0, 0]
// CHECK-DAG:     %[[B:.+]] = tensor.extract_slice %[[BIAS]][0, 0] [1, 5] [1, 1] : tensor<1x5xf32> to tensor<5xf32>
// CHECK:         %[[X1:.+]] = tensor.extract_slice %[[X]][1, 0, 0] [1, 3, 10]
// CHECK:         %[[I0:.+]] = tensor.extract_slice %[[X1]][0, 0] [3, 5]
// CHECK:         %[[I1:.+]] = tensor.extract_slice %[[X1]][0, 5] [3, 5]
// CHECK:         %[[P:.+]] = linalg.matmul {{.+}} ins(%[[H0]], %{{.+}} : tensor<3x5xf32>, tensor<10x5xf32>)
// CHECK:         %[[P0:.+]] = tensor.extract_slice %[[P]][0, 0] [3, 5]
// CHECK:         %[[P1:.+]] = tensor.extract_slice %[[P]][0, 5] [3, 5]
// CHECK:         %[[MADE:.+]]:3 = linalg.generic
// CHECK-SAME:      #[[UNIT]], {{.+}}, #[[SEQUENCE]],
// CHECK-SAME:      ins(%[[P0]], %[[P1]], %[[I0]], %[[I1]], %[[B]], %[[H0]], %[[C0]], %[[LENGTHS]] :
// CHECK-NEXT:    ^bb0(%{{.+}}: f32, %{{.+}}: f32, %{{.+}}: f32, %{{.+}}: f32, %{{.+}}: f32, %[[H:.+]]: f32, %[[C:.+]]: f32, %[[N:.+]]: i32,
// CHECK:           %[[NEW_H:.+]] = arith.addf %{{.+}}, %[[C]]
// CHECK:           %[[NEW_C:.+]] = arith.mulf %{{.+}}, %[[H]]
// CHECK:           %[[TIME:.+]] = arith.constant 1 : i32
// CHECK:           %[[RUNS:.+]] = arith.cmpi sgt, %[[N]], %[[TIME]]
// CHECK:           %[[ZERO:.+]] = arith.constant 0.0
// CHECK-DAG:       %[[NEXT_H:.+]] = arith.select %[[RUNS]], %[[NEW_H]], %[[H]]
// CHECK-DAG:       %[[NEXT_C:.+]] = arith.select %[[RUNS]], %[[NEW_C]], %[[C]]
// CHECK-DAG:       %[[GIVEN:.+]] = arith.select %[[RUNS]], %[[NEW_H]], %[[ZERO]]
// CHECK:           linalg.yield %[[GIVEN]], %[[NEXT_H]], %[[NEXT_C]]
// CHECK:         tensor.extract_slice %[[X]][0, 0, 0]
// CHECK:         linalg.matmul {{.+}} ins(%[[MADE]]#1,
// CHECK:         %[[END:.+]]:3 = linalg.generic {{.+}} ins({{.+}}, %[[MADE]]#1, %[[MADE]]#2, %[[LENGTHS]] :
// CHECK:         tensor.insert_slice %[[END]]#0 into %{{.+}}[0, 0, 0]
// CHECK:         tensor.insert_slice %[[MADE]]#0 into %{{.+}}[1, 0, 0]
// CHECK:         tensor.insert_slice %[[END]]#1 into %{{.+}}[0, 0, 0]
// CHECK:         tensor.insert_slice %[[END]]#2 into %{{.+}}[1, 0, 0]
func.func @lengths(%x: tensor<2x3x10xf32>, %begin: tensor<2x3x5xf32>, %lengths: tensor<3xi32>, %bias: tensor<1x5xf32>)
    -> (tensor<2x3x5xf32>, tensor<2x3x5xf32>) {
  %w = arith.constant dense<0.5> : tensor<10x5xf32>
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin, %lengths, %bias) ({
  ^bb0(%p0: f32, %p1: f32, %i0: f32, %i1: f32, %b: f32, %h: f32, %c: f32):
    %0 = arith.addf %p0, %i0 : f32
    %1 = arith.addf %p1, %i1 : f32
    %2 = arith.addf %1, %b : f32
    %new_h = arith.addf %0, %c : f32
    %new_c = arith.mulf %2, %h : f32
    "sparse_pattern.next"(%new_h, %new_c) : (f32, f32) -> ()
  }) {late = 0, reverse = true, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>}
    : (tensor<2x3x10xf32>, tensor<10x5xf32>, tensor<2x3x5xf32>, tensor<3xi32>, tensor<1x5xf32>)
    -> (tensor<2x3x5xf32>, tensor<2x3x5xf32>)
  return %y, %last : tensor<2x3x5xf32>, tensor<2x3x5xf32>
}

// A late gate: another product, by its own rows of the weights, of what the first part of the cell gives.
// CHECK-LABEL: func.func @late
// CHECK-SAME:    (%[[X:.+]]: tensor<1x3x4xf32>, %[[BEGIN:.+]]: tensor<1x3x2xf32>)
// CHECK-DAG:     %[[EARLY:.+]] = arith.constant dense<{{\[\[}}1.{{.+}}, 2.{{.+}}], [3.{{.+}}, 4.000000e+00]]>
// CHECK-DAG:     %[[LATE:.+]] = arith.constant dense<{{\[\[}}5.{{.+}}, 6.{{.+}}], [7.{{.+}}, 8.{{.+}}]]>
// CHECK:         %[[H:.+]] = tensor.extract_slice %[[BEGIN]]
// CHECK:         %[[P0:.+]] = linalg.matmul {{.+}} ins(%[[H]], %[[EARLY]] :
// CHECK:         %[[KEPT:.+]] = linalg.generic {{.+}} ins(%[[P0]],
// CHECK-NEXT:    ^bb0(%[[P:.+]]: f32, %[[I:.+]]: f32, %{{.+}}: f32, %[[S:.+]]: f32, %{{.+}}: f32):
// CHECK-NEXT:      %[[RESET:.+]] = arith.addf %[[P]], %[[I]]
// CHECK-NEXT:      %[[FACTOR:.+]] = arith.mulf %[[RESET]], %[[S]]
// CHECK-NEXT:      linalg.yield %[[FACTOR]]
// CHECK:         %[[P1:.+]] = linalg.matmul {{.+}} ins(%[[KEPT]], %[[LATE]] :
// CHECK:         %[[NEW:.+]] = linalg.generic {{.+}} ins(%[[P0]], %[[P1]],
// CHECK:           arith.addf
// CHECK-NEXT:      %[[NEXT:.+]] = arith.addf
// CHECK:           linalg.yield %[[NEXT]]
// CHECK:         tensor.insert_slice %[[NEW]]
func.func @late(%x: tensor<1x3x4xf32>, %begin: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p_reset: f32, %p_new: f32, %i_reset: f32, %i_new: f32, %state: f32):
    %reset = arith.addf %p_reset, %i_reset : f32
    %new = arith.addf %p_new, %i_new : f32
    %kept = arith.mulf %reset, %state : f32
    "sparse_pattern.next"(%new, %kept) : (f32, f32) -> ()
  }) {late = 1, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<1x3x4xf32>, tensor<4x2xf32>, tensor<1x3x2xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>)
  return %y : tensor<1x3x2xf32>
}

// Computed weights: their rows are a slice.
// CHECK-LABEL: func.func @computed_weights
// CHECK-SAME:    %[[W:[^:]+]]: tensor<4x2xf32>)
// CHECK:         %[[EARLY:.+]] = tensor.extract_slice %[[W]][0, 0] [2, 2]
// CHECK:         %[[LATE:.+]] = tensor.extract_slice %[[W]][2, 0] [2, 2]
// CHECK:         linalg.matmul {{.+}} ins(%{{.+}}, %[[EARLY]] :
// CHECK:         linalg.matmul {{.+}} ins(%{{.+}}, %[[LATE]] :
func.func @computed_weights(%x: tensor<1x3x4xf32>, %begin: tensor<1x3x2xf32>, %w: tensor<4x2xf32>) -> tensor<1x3x2xf32> {
  %y, %last = "sparse_pattern.recurrent"(%x, %w, %begin) ({
  ^bb0(%p_reset: f32, %p_new: f32, %i_reset: f32, %i_new: f32, %state: f32):
    %kept = arith.mulf %p_reset, %state : f32
    "sparse_pattern.next"(%p_new, %kept) : (f32, f32) -> ()
  }) {late = 1, reverse = false, scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
    : (tensor<1x3x4xf32>, tensor<4x2xf32>, tensor<1x3x2xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>)
  return %y : tensor<1x3x2xf32>
}

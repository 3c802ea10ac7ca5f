// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements,cse)' | FileCheck %s
// RUN: sed 's/arm64-android/x86-64-v3/' %s \
// RUN:   | niwaki-opt - --pass-pipeline='builtin.module(sparse-pattern-narrow-elements,cse)' | FileCheck %s --check-prefix=WIDE

// Where the target has arithmetic for f16, sums and epilogues are f16 too; elsewhere they stay f32.
// The casts between two layers cancel each other.
module attributes {sparse_pattern.target = "arm64-android"} {
// CHECK-LABEL: func.func @two_layers(
// CHECK-SAME: %[[X:.+]]: tensor<1x2x4x4xf32>)
// CHECK-DAG: %[[W:.+]] = arith.constant dense<5.000000e-01> : tensor<2x2x1x1xf16>
// CHECK-DAG: %[[B:.+]] = arith.constant dense<2.500000e-01> : tensor<2xf16>
// CHECK-DAG: %[[H:.+]] = arith.truncf %[[X]] : tensor<1x2x4x4xf32> to tensor<1x2x4x4xf16>
// CHECK: %[[Y:.+]] = "sparse_pattern.conv"(%[[H]], %[[W]], %[[B]]) ({
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f16, %[[BIAS:.+]]: f16):
// CHECK-NEXT: arith.addf %[[ACC]], %[[BIAS]] : f16
// CHECK: %[[Z:.+]] = "sparse_pattern.conv"(%[[Y]], %[[W]], %[[H]])
// CHECK: (tensor<1x2x4x4xf16>, tensor<2x2x1x1xf16>, tensor<1x2x4x4xf16>) -> tensor<1x2x4x4xf16>
// CHECK: %[[R:.+]] = arith.extf %[[Z]] : tensor<1x2x4x4xf16> to tensor<1x2x4x4xf32>
// CHECK: return %[[R]]
// WIDE-LABEL: func.func @two_layers(
// WIDE: %[[B:.+]] = arith.constant dense<2.500000e-01> : tensor<2xf32>
// WIDE: "sparse_pattern.conv"(%{{.+}}, %{{.+}}, %[[B]])
// WIDE-NEXT: ^bb0(%[[ACC:.+]]: f32, %[[BIAS:.+]]: f32):
// WIDE-NEXT: %[[SUM:.+]] = arith.addf %[[ACC]], %[[BIAS]] : f32
// WIDE-NEXT: arith.truncf %[[SUM]] : f32 to f16
// WIDE: ^bb0(%[[ACC:.+]]: f32, %[[RESIDUAL:.+]]: f16):
// WIDE-NEXT: arith.extf %[[RESIDUAL]] : f16 to f32
func.func @two_layers(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2x1x1xf32>
  %b = arith.constant dense<0.25> : tensor<2xf32>
  %y = "sparse_pattern.conv"(%x, %w, %b) ({
  ^bb0(%acc: f32, %bias: f32):
    %0 = arith.addf %acc, %bias : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %z = "sparse_pattern.conv"(%y, %w, %x) ({
  ^bb0(%acc: f32, %residual: f32):
    %0 = arith.addf %acc, %residual : f32
    "sparse_pattern.yield"(%0) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 0, 1>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %z : tensor<1x2x4x4xf32>
}

// A constant of the epilogue becomes one of f16, and comparisons compare f16.
// CHECK-LABEL: func.func @relu(
// CHECK: "sparse_pattern.conv"
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f16):
// CHECK-NEXT: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f16
// CHECK-NEXT: %[[POSITIVE:.+]] = arith.cmpf ugt, %[[ACC]], %[[ZERO]] : f16
// CHECK-NEXT: arith.select %[[POSITIVE]], %[[ACC]], %[[ZERO]] : f16
func.func @relu(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2x1x1xf32>
  %zero = arith.constant 0.0 : f32
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    %0 = arith.cmpf ugt, %acc, %zero : f32
    %1 = arith.select %0, %acc, %zero : f32
    "sparse_pattern.yield"(%1) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 0, 0>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}

// Many products are added up in f32, as those of 577 columns.
// CHECK-LABEL: func.func @many_columns(
// CHECK: "sparse_pattern.conv"
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT: arith.truncf %[[ACC]] : f32 to f16
// CHECK: "sparse_pattern.conv"
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f16):
func.func @many_columns(%x: tensor<1x577x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = arith.constant dense<0.5> : tensor<1x577x1x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 0, 0>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x577x4x4xf32>, tensor<1x577x1x1xf32>) -> tensor<1x1x4x4xf32>
  %v = arith.constant dense<0.5> : tensor<1x1x1x1xf32>
  %z = "sparse_pattern.conv"(%y, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 0, 0>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %z : tensor<1x1x4x4xf32>
}

// Sums over a window and of a linear layer are f32; between them numbers are only moved.
// CHECK-LABEL: func.func @average(
// CHECK: "sparse_pattern.pool"
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT: %[[COUNT:.+]] = arith.constant 1.600000e+01 : f32
// CHECK-NEXT: %[[MEAN:.+]] = arith.divf %[[ACC]], %[[COUNT]] : f32
// CHECK-NEXT: arith.truncf %[[MEAN]] : f32 to f16
// CHECK: %[[FLAT:.+]] = tensor.collapse_shape %{{.+}} : tensor<1x2x1x1xf16> into tensor<1x2xf16>
// CHECK: "sparse_pattern.linear"(%[[FLAT]]
// CHECK-NEXT: ^bb0(%{{.+}}: f32):
func.func @average(%x: tensor<1x2x4x4xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2xf32>
  %count = arith.constant 16.0 : f32
  %y = "sparse_pattern.pool"(%x) ({
  ^bb0(%acc: f32):
    %mean = arith.divf %acc, %count : f32
    "sparse_pattern.yield"(%mean) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>, kind = "sum",
      operandSegmentSizes = array<i32: 1, 0, 0>, padding = array<i64: 0, 0, 0, 0>,
      strides = array<i64: 1, 1>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  %f = tensor.collapse_shape %y [[0], [1, 2, 3]] : tensor<1x2x1x1xf32> into tensor<1x2xf32>
  %z = "sparse_pattern.linear"(%f, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// An attention of what a narrow layer gives reads and writes f16; its mask stays as it is.
// CHECK-LABEL: func.func @attended(
// CHECK-SAME: %[[X:.+]]: tensor<4x2xf32>, %[[M:.+]]: tensor<1x1x4x4xf32>)
// CHECK: %[[Y:.+]] = "sparse_pattern.linear"
// CHECK: %[[Q:.+]] = tensor.expand_shape %[[Y]] {{.+}} into tensor<1x1x4x2xf16>
// CHECK: "sparse_pattern.attention"(%[[Q]], %[[Q]], %[[Q]], %[[M]])
// CHECK-SAME: -> tensor<1x1x4x2xf16>
// CHECK: arith.extf
func.func @attended(%x: tensor<4x2xf32>, %m: tensor<1x1x4x4xf32>) -> tensor<1x1x4x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x2xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0>, scheme = #sparse_pattern.dense}
    : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  %q = tensor.expand_shape %y [[0, 1, 2], [3]] output_shape [1, 1, 4, 2] : tensor<4x2xf32> into tensor<1x1x4x2xf32>
  %z = "sparse_pattern.attention"(%q, %q, %q, %m) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true, operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x2xf32>
  return %z : tensor<1x1x4x2xf32>
}
}

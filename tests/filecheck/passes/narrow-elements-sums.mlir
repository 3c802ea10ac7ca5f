// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements)' | FileCheck %s

// Another op computes in f16, which IREE would do with small numbers as 0 if the target's arithmetic
// were used. So it is not used, and the layer adds up in f32.
// CHECK: module attributes {sparse_pattern.target = "arm64-android", sparse_pattern.wide_sums}
module attributes {sparse_pattern.target = "arm64-android"} {
// CHECK: "sparse_pattern.conv"
// CHECK-NEXT: ^bb0(%{{.+}}: f32):
func.func @main(%x: tensor<1x2x4x4xf32>, %s: tensor<4xf16>) -> (tensor<1x2x4x4xf32>, tensor<4xf16>) {
  %w = arith.constant dense<0.5> : tensor<2x2x1x1xf32>
  %y = "sparse_pattern.conv"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {dilations = array<i64: 1, 1>, groups = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 0, 0>,
      padding = array<i64: 0, 0, 0, 0>, scheme = #sparse_pattern.dense, strides = array<i64: 1, 1>}
    : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %empty = tensor.empty() : tensor<4xf16>
  %t = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%s : tensor<4xf16>) outs(%empty : tensor<4xf16>) {
  ^bb0(%in: f16, %out: f16):
    %0 = arith.mulf %in, %in : f16
    linalg.yield %0 : f16
  } -> tensor<4xf16>
  return %y, %t : tensor<1x2x4x4xf32>, tensor<4xf16>
}
}

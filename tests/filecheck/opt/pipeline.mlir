// Our passes and MLIR's in one pipeline, nested ones too, in the order they are written.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(func.func(cse),sparse-pattern-detect-schemes, func.func(canonicalize{max-iterations=2},cse))' \
// RUN:   | FileCheck %s

// Without a pipeline the file is parsed, verified and printed.
// RUN: niwaki-opt %s | FileCheck %s --check-prefix=SAME
// RUN: niwaki-opt < %s | FileCheck %s --check-prefix=SAME
// RUN: niwaki-opt - --pass-pipeline='builtin.module()' < %s | FileCheck %s --check-prefix=SAME

// CHECK-LABEL: func.func @f
// CHECK:         %[[W:.+]] = arith.constant
// CHECK-NOT:     arith.constant
// CHECK:         %[[Y:.+]] = "sparse_pattern.linear"(%{{.+}}, %[[W]])
// CHECK:           scheme = #sparse_pattern.channel
// CHECK-NEXT:    return %[[Y]], %[[Y]]

// SAME-LABEL:  func.func @f
// SAME-COUNT-2:  arith.constant
// SAME-COUNT-2:  scheme = #sparse_pattern.dense
func.func @f(%x: tensor<1x4xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %v = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  %z = "sparse_pattern.linear"(%x, %v) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}

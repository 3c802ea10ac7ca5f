// The IR before the first pass and after each, a file for each; large constants are left out.

// RUN: rm -rf %t && niwaki-opt %s --dump-ir %t/deep/folder --pass-pipeline='builtin.module(sparse-pattern-detect-schemes,func.func(cse,canonicalize))'
// RUN: ls %t/deep/folder | FileCheck %s --check-prefix=FILES
// RUN: cat %t/deep/folder/00-input.mlir | FileCheck %s --check-prefix=INPUT
// RUN: cat %t/deep/folder/01-detect-schemes.mlir | FileCheck %s --check-prefix=FIRST

// FILES:      00-input.mlir
// FILES-NEXT: 01-detect-schemes.mlir
// FILES-NEXT: 02-func-func-cse-canonicalize.mlir

// INPUT: dense_resource<__elided__> : tensor<5x4xf32>
// INPUT: %classifier = "sparse_pattern.linear"
// INPUT: scheme = #sparse_pattern.dense
// FIRST: scheme = #sparse_pattern.channel

// A folder that cannot be written is a mistake of the user's.
// RUN: echo > %t.file
// RUN: not niwaki-opt %s --dump-ir %t.file 2>&1 | FileCheck %s --check-prefix=NO-FOLDER
// NO-FOLDER: error: cannot write the IR to '{{.*}}00-input.mlir': File exists
func.func @f(%x: tensor<1x4xf32>) -> tensor<1x5xf32> {
  %w = arith.constant dense<[
    [1.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0],
    [5.0, 0.0, 0.0, 0.0]]> : tensor<5x4xf32>
  %y = "sparse_pattern.linear"(%x, %w) ({
  ^bb0(%acc: f32):
    "sparse_pattern.yield"(%acc) : (f32) -> ()
  }) {scheme = #sparse_pattern.dense, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
    : (tensor<1x4xf32>, tensor<5x4xf32>) -> tensor<1x5xf32> loc("classifier")
  return %y : tensor<1x5xf32>
}

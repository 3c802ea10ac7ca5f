// Remarks go to standard error when asked for; the module goes to standard output with and without them.

// RUN: niwaki-opt %s --remarks --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' 2>&1 >/dev/null | FileCheck %s
// RUN: niwaki-opt %s --remarks --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=MODULE
// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' 2>&1 | FileCheck %s --check-prefix=SILENT

// A remark names the layer after its location: a name, that of a name in a fused location, or line and column.
// CHECK:      remarks.mlir:0: remark: sparse-pattern-raise-layers: head.query: left to IREE: its second factor is computed, not stored as weights
// CHECK-NEXT: remarks.mlir:0: remark: sparse-pattern-raise-layers: head.key: left to IREE
// CHECK-NEXT: remarks.mlir:22: remark: sparse-pattern-raise-layers: 22:8: left to IREE

// MODULE-LABEL:   func.func @f
// MODULE-COUNT-3:   linalg.matmul

// SILENT-NOT: remark
func.func @f(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>, %c: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %0 = linalg.matmul ins(%a, %b : tensor<4x4xf32>, tensor<4x4xf32>) outs(%c : tensor<4x4xf32>) -> tensor<4x4xf32>
    loc("head.query")
  %1 = linalg.matmul ins(%b, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%c : tensor<4x4xf32>) -> tensor<4x4xf32>
    loc(fused[unknown, "head.key"])
  %2 = linalg.matmul ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%c : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0, %1, %2 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

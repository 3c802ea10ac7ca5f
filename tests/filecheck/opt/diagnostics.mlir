// Expected messages are compared by line, severity and a part of their text; nothing is printed when all are as expected.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' \
// RUN:   > %t 2>&1
// RUN: diff %t /dev/null

// An error of the parser, on the line after.
// expected-error @+1 {{'func.fun' is unknown}}
func.fun @f() { return }

// -----

// A remark of a pass; the comment may stand before or after.
func.func @remark(%a: tensor<4x3xf32>, %b: tensor<3x2xf32>, %c: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-remark @below {{sparse-pattern-raise-layers: 16:8: left to IREE: its second factor is computed, not stored as weights}}
  %y = linalg.matmul ins(%a, %b : tensor<4x3xf32>, tensor<3x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

func.func @after(%a: tensor<4x3xf32>, %b: tensor<3x2xf32>, %c: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %y = linalg.matmul ins(%a, %b : tensor<4x3xf32>, tensor<3x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-remark @above {{its second factor is computed, not stored as weights}}
  return %y : tensor<4x2xf32>
}

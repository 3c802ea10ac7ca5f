// Comparing diagnostics fails for what is missing and for what is unexpected, and says on which line.

// RUN: not niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-raise-layers)' 2>&1 \
// RUN:   | FileCheck %s

// Nothing is wrong.
// CHECK: diagnostics-differ.mlir:9: expected error was not produced: is unknown
// expected-error @+1 {{is unknown}}
func.func @fine() { return }

// -----

// Nobody expects it.
// CHECK: diagnostics-differ.mlir:15: unexpected error: custom op 'func.fun' is unknown
func.fun @f() { return }

// -----

// Another message.
// CHECK: diagnostics-differ.mlir:23: expected error was not produced: is misspelt
// CHECK: diagnostics-differ.mlir:23: unexpected error: custom op 'func.fun' is unknown
// expected-error @+1 {{is misspelt}}
func.fun @f() { return }

// -----

// Another line.
// CHECK: diagnostics-differ.mlir:31: expected error was not produced
// CHECK: diagnostics-differ.mlir:32: unexpected error: custom op 'func.fun' is unknown
// expected-error @+1 {{is unknown}}

func.fun @f() { return }

// -----

// Another severity.
// CHECK: diagnostics-differ.mlir:41: expected error was not produced: its second factor
// CHECK: diagnostics-differ.mlir:41: unexpected remark: sparse-pattern-raise-layers
func.func @remark(%a: tensor<4x3xf32>, %b: tensor<3x2xf32>, %c: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error @+1 {{its second factor}}
  %y = linalg.matmul ins(%a, %b : tensor<4x3xf32>, tensor<3x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// Once is not twice.
// CHECK: diagnostics-differ.mlir:52: expected error was not produced: is unknown
// CHECK-NOT: diagnostics-differ.mlir
// expected-error @+2 {{is unknown}}
// expected-error @+1 {{is unknown}}
func.fun @f() { return }

// Vectors are the target's: a module that names none of those that exist cannot be compiled. Passes that ask for the target
// share these messages.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-assign-layouts)'
// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-select-kernels)'

// expected-error @+1 {{unknown target 'phone': choose one of host, x86-64-v3, x86-64-v4, arm64,}}
module attributes {sparse_pattern.target = "phone"} {}

// -----

// expected-error @+1 {{needs a string as sparse_pattern.target, got 3 : i64}}
module attributes {sparse_pattern.target = 3} {}

// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements)' 2>&1 | FileCheck %s
// RUN: not niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-narrow-elements{element=f8})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NAME

// CHECK: target vulkan has no layers of f16: it has f32; choose another precision, or a target that has them (see `niwaki targets`)
// NAME: unknown precision 'f8': choose one of f32, f16
module attributes {sparse_pattern.target = "vulkan"} {
}

// Parts are modules of their own: names may be used again. What is printed can be split again.

// RUN: niwaki-opt %s --split-input-file | niwaki-opt --split-input-file | FileCheck %s
// RUN: not niwaki-opt %s 2>&1 | FileCheck %s --check-prefix=WHOLE

// CHECK:      module {
// CHECK-NEXT:   func.func @f() {
// CHECK:      // -----
// CHECK:      module {
// CHECK-NEXT:   func.func @f(%{{.+}}: f32) {
// CHECK-NOT:  // -----

// WHOLE: split-input-file.mlir:18: error: redefinition of symbol named 'f'
func.func @f() { return }

// -----

func.func @f(%x: f32) { return }

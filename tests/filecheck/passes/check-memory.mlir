// What kernels assume of memory and what earlier ones left there agree; nothing is changed.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-check-memory)' | FileCheck %s

// A sum written over its shortcut, whose other reader has run. The rest of the program sees plain tensors.
// CHECK-LABEL: func.func @in_place
// CHECK:         "flow.dispatch"(%{{.+}}, %{{.+}}, %{{.+}}) {entry_points = [@sum], {{.*}}tied_operands = [2 : index]}
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @conv(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @sum(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @in_place(%x: tensor<1x2x2x3xf32>, %w: tensor<4xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %y = "flow.dispatch"(%p, %w) {entry_points = [@conv]} : (tensor<36xf32>, tensor<4xf32>) -> tensor<36xf32>
    %s = "flow.dispatch"(%y, %w, %p) {entry_points = [@sum], tied_operands = [2 : index]}
      : (tensor<36xf32>, tensor<4xf32>, tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%s) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// Two images of two channels, the second of which is copied; together they are all planes there are.
// CHECK-LABEL: func.func @joined
// CHECK:         sparse_pattern.part = array<i64: 2, 2, 1, 1>
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xi32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy_more(memref<?xf32>, memref<?xi32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @joined(%x: tensor<2x1x2x3xf32>) -> tensor<2x2x2x3xf32> {
    %first = arith.constant dense<[0, 40]> : tensor<2xi32>
    %second = arith.constant dense<[12, 40]> : tensor<2xi32>
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<2x1x2x3xf32>) -> tensor<36xf32>
    %a = "flow.dispatch"(%p, %first) {entry_points = [@copy], sparse_pattern.part = array<i64: 2, 2, 0, 1>}
      : (tensor<36xf32>, tensor<2xi32>) -> tensor<60xf32>
    %b = "flow.dispatch"(%p, %second, %a)
      {entry_points = [@copy_more], sparse_pattern.part = array<i64: 2, 2, 1, 1>, tied_operands = [2 : index]}
      : (tensor<36xf32>, tensor<2xi32>, tensor<60xf32>) -> tensor<60xf32>
    %r = "flow.dispatch"(%b) {entry_points = [@unpack]} : (tensor<60xf32>) -> tensor<2x2x2x3xf32>
    return %r : tensor<2x2x2x3xf32>
  }
}

// -----

// What a mean leaves are planes of one pixel.
// CHECK-LABEL: func.func @reduced
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
#pixel = #sparse_pattern.planar<array<i64: 1, 1>, array<i64: 1, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 1 : i64, 0 : i64>
module {
  func.func private @reduce(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #pixel], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @reduced(%x: tensor<1x2x2x3xf32>) -> tensor<1x2xf32> {
    %r = "flow.dispatch"(%x) {entry_points = [@reduce]} : (tensor<1x2x2x3xf32>) -> tensor<1x2xf32>
    return %r : tensor<1x2xf32>
  }
}

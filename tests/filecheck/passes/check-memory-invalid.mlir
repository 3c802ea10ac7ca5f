// Memory that is not as a kernel assumes, or that is written over too early: bugs of the lowering.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-check-memory)'

// A residual read without the lead that is there.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#other = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @sum(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #other, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{operand 1 has lead 4, where the kernel expects 0}}
    %s = "flow.dispatch"(%p, %p) {entry_points = [@sum]} : (tensor<36xf32>, tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%s) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// Rows in another pitch.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#other = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#other, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{operand 0 has pitches (4, 1), where the kernel expects (5, 1)}}
    %r = "flow.dispatch"(%p) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// A kernel that takes planes for a plain tensor of one dimension.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @linear(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [unit, unit], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{operand 0 has planes, where the kernel knows of none}}
    %r = "flow.dispatch"(%p) {entry_points = [@linear]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// A plain tensor, read as planes with halo.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    // expected-error @+1 {{operand 0 has pitches (3, 1), where the kernel expects (4, 1)}}
    %r = "flow.dispatch"(%x) {entry_points = [@unpack]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// A result with halo in a plain tensor.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    // expected-error @+1 {{its result has pitches (3, 1), where the kernel expects (4, 1)}}
    %r = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// Planes handed to other code.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<36xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{func.return reads planes as a plain tensor}}
    return %p : tensor<36xf32>
  }
}

// -----

// Room for two planes and a half.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    // expected-error @+1 {{its result has 42 elements, which is no number of planes}}
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<42xf32>
    %r = "flow.dispatch"(%p) {entry_points = [@unpack]} : (tensor<42xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// A shortcut that is read once more after the sum is written over it.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @sum(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %y = "flow.dispatch"(%p) {entry_points = [@copy]} : (tensor<36xf32>) -> tensor<36xf32>
    // expected-error @+1 {{writes over what flow.dispatch may read later}}
    %s = "flow.dispatch"(%y, %p) {entry_points = [@sum], tied_operands = [1 : index]} : (tensor<36xf32>, tensor<36xf32>) -> tensor<36xf32>
    %t = "flow.dispatch"(%p) {entry_points = [@copy]} : (tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%t) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// The other reader stands before, but the sum does not wait for it.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @sum(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %q = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %y = "flow.dispatch"(%p) {entry_points = [@copy]} : (tensor<36xf32>) -> tensor<36xf32>
    // expected-error @+1 {{writes over what flow.dispatch may read later}}
    %s = "flow.dispatch"(%q, %p) {entry_points = [@sum], tied_operands = [1 : index]} : (tensor<36xf32>, tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%y) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// The layer itself reads around each pixel of what it writes over.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @sum(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #planar, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{writes over an operand that it also reads elsewhere}}
    %s = "flow.dispatch"(%p, %p) {entry_points = [@sum], tied_operands = [1 : index]} : (tensor<36xf32>, tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%s) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// The input of the network is the caller's.
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @copy(memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    // expected-error @+1 {{writes over what no kernel has computed}}
    %r = "flow.dispatch"(%x) {entry_points = [@copy], tied_operands = [0 : index]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// Memory that is read in one layout and written in another.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#other = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #other], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    // expected-error @+1 {{writes over operand 0 in another layout}}
    %s = "flow.dispatch"(%p) {entry_points = [@copy], tied_operands = [0 : index]} : (tensor<36xf32>) -> tensor<36xf32>
    %r = "flow.dispatch"(%s) {entry_points = [@unpack]} : (tensor<36xf32>) -> tensor<1x2x2x3xf32>
    return %r : tensor<1x2x2x3xf32>
  }
}

// -----

// Half of a concatenation that nobody has written.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy_more(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x4x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %first = arith.constant dense<[0, 28]> : tensor<2xi32>
    %second = arith.constant dense<[24, 28]> : tensor<2xi32>
    %a = "flow.dispatch"(%p, %first) {entry_points = [@copy], sparse_pattern.part = array<i64: 1, 4, 0, 2>} : (tensor<36xf32>, tensor<2xi32>) -> tensor<60xf32>
    // expected-error @+1 {{operand 0 has 2 planes that nobody has written}}
    %r = "flow.dispatch"(%a) {entry_points = [@unpack]} : (tensor<60xf32>) -> tensor<1x4x2x3xf32>
    return %r : tensor<1x4x2x3xf32>
  }
}

// -----

// Channels behind the first ones, and one of them twice.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy_more(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x4x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %first = arith.constant dense<[0, 28]> : tensor<2xi32>
    %second = arith.constant dense<[12, 28]> : tensor<2xi32>
    %a = "flow.dispatch"(%p, %first) {entry_points = [@copy], sparse_pattern.part = array<i64: 1, 4, 0, 2>} : (tensor<36xf32>, tensor<2xi32>) -> tensor<60xf32>
    // expected-error @+1 {{writes over what others have written of a concatenation}}
    %b = "flow.dispatch"(%p, %second, %a) {entry_points = [@copy_more], sparse_pattern.part = array<i64: 1, 4, 1, 2>, tied_operands = [2 : index]} : (tensor<36xf32>, tensor<2xi32>, tensor<60xf32>) -> tensor<60xf32>
    %r = "flow.dispatch"(%b) {entry_points = [@unpack]} : (tensor<60xf32>) -> tensor<1x4x2x3xf32>
    return %r : tensor<1x4x2x3xf32>
  }
}

// -----

// Not where the channels belong.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy_more(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x4x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %first = arith.constant dense<[0, 28]> : tensor<2xi32>
    %second = arith.constant dense<[12, 28]> : tensor<2xi32>
    %a = "flow.dispatch"(%p, %first) {entry_points = [@copy], sparse_pattern.part = array<i64: 1, 4, 0, 2>} : (tensor<36xf32>, tensor<2xi32>) -> tensor<60xf32>
    // expected-error @+1 {{writes channel 2 at 12, not at 24}}
    %b = "flow.dispatch"(%p, %second, %a) {entry_points = [@copy_more], sparse_pattern.part = array<i64: 1, 4, 2, 2>, tied_operands = [2 : index]} : (tensor<36xf32>, tensor<2xi32>, tensor<60xf32>) -> tensor<60xf32>
    %r = "flow.dispatch"(%b) {entry_points = [@unpack]} : (tensor<60xf32>) -> tensor<1x4x2x3xf32>
    return %r : tensor<1x4x2x3xf32>
  }
}

// -----

// More channels than there are.
#planar = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 4, 1>, array<i64: 1, 1>, array<i64: 0>, 4 : i64, 12 : i64, 8 : i64>
#plain = #sparse_pattern.planar<array<i64: 2, 3>, array<i64: 3, 1>, array<i64: 1, 1>, array<i64: 0>, 0 : i64, 6 : i64, 0 : i64>
module {
  func.func private @pack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#plain, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @copy_more(memref<?xf32>, memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, unit, unit, #planar], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func private @unpack(memref<?xf32>, memref<?xf32>, index, index, index)
    attributes {sparse_pattern.layouts = [#planar, #plain], sparse_pattern.workgroups = array<i64: 1, 1, 1>}
  func.func @main(%x: tensor<1x2x2x3xf32>) -> tensor<1x4x2x3xf32> {
    %p = "flow.dispatch"(%x) {entry_points = [@pack]} : (tensor<1x2x2x3xf32>) -> tensor<36xf32>
    %first = arith.constant dense<[0, 28]> : tensor<2xi32>
    %second = arith.constant dense<[36, 28]> : tensor<2xi32>
    %a = "flow.dispatch"(%p, %first) {entry_points = [@copy], sparse_pattern.part = array<i64: 1, 4, 0, 2>} : (tensor<36xf32>, tensor<2xi32>) -> tensor<60xf32>
    // expected-error @+1 {{writes channels 3 to 4 of 1 x 4 into 4 planes}}
    %b = "flow.dispatch"(%p, %second, %a) {entry_points = [@copy_more], sparse_pattern.part = array<i64: 1, 4, 3, 2>, tied_operands = [2 : index]} : (tensor<36xf32>, tensor<2xi32>, tensor<60xf32>) -> tensor<60xf32>
    %r = "flow.dispatch"(%b) {entry_points = [@unpack]} : (tensor<60xf32>) -> tensor<1x4x2x3xf32>
    return %r : tensor<1x4x2x3xf32>
  }
}

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-emit-iree)' | FileCheck %s
// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-emit-iree{embed-constants=true})' \
// RUN:   | FileCheck %s --check-prefix=EMBED

// A kernel becomes an executable with an export that says how many workgroups run; its buffers are views of bindings, as
// large as the largest buffer of its calls, and its numbers are asked for.
// CHECK-LABEL: "stream.executable"() ({
// CHECK-NEXT:    "stream.executable.export"() ({
// CHECK-DAG:       %[[X:.+]] = arith.constant 2 : index
// CHECK-DAG:       %[[Y:.+]] = arith.constant 3 : index
// CHECK-DAG:       %[[Z:.+]] = arith.constant 1 : index
// CHECK:           "stream.return"(%[[X]], %[[Y]], %[[Z]])
// CHECK-NEXT:    }) {function_ref = @double_0, sym_name = "double_0"}
// CHECK:         module {
// CHECK-NEXT:      func.func @double_0(%[[IN:.+]]: !stream.binding, %[[OUT:.+]]: !stream.binding)
// CHECK-SAME:        translation_info = #iree_codegen.translation_info<pipeline = #iree_codegen.no_pipeline>
// CHECK:             %[[SIZE:.+]] = arith.constant 8 : index
// CHECK-NEXT:        %[[READ:.+]] = "stream.binding.subspan"(%[[IN]], %{{.+}}, %[[SIZE]])
// CHECK:             %[[WRITTEN:.+]] = "stream.binding.subspan"(%[[OUT]],
// CHECK:             %[[I:.+]] = "stream.dispatch.workgroup.id"() {dimension = 0 : index}
// CHECK:             memref.load %[[READ]][%[[I]]]
// CHECK:             memref.store %{{.+}}, %[[WRITTEN]][%[[I]]]
// CHECK:         }) {sym_name = "double_0", sym_visibility = "private"}
// CHECK-LABEL: func.func @calls
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@double_0::@double_0]
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@double_0::@double_0]
// CHECK-NOT:     sparse_pattern
module attributes {sparse_pattern.target = "arm64"} {
  func.func private @double_0(%in: memref<?xf32>, %out: memref<?xf32>, %x: index, %y: index, %z: index)
      attributes {sparse_pattern.workgroups = array<i64: 2, 3, 1>} {
    %0 = memref.load %in[%x] : memref<?xf32>
    %1 = arith.addf %0, %0 : f32
    memref.store %1, %out[%x] : memref<?xf32>
    return
  }
  func.func @calls(%a: tensor<2xf32>, %b: tensor<2x4xf32>) -> (tensor<2xf32>, tensor<2x4xf32>) {
    %0 = "flow.dispatch"(%a) {entry_points = [@double_0], operandSegmentSizes = array<i32: 0, 1, 0, 0>}
      : (tensor<2xf32>) -> tensor<2xf32>
    %1 = "flow.dispatch"(%b) {entry_points = [@double_0], operandSegmentSizes = array<i32: 0, 1, 0, 0>}
      : (tensor<2x4xf32>) -> tensor<2x4xf32>
    return %0, %1 : tensor<2xf32>, tensor<2x4xf32>
  }
}

// -----

// A result that takes the memory of an operand has no binding of its own.
// CHECK-LABEL: func.func @twice_0(%{{[^,]+}}: !stream.binding)
// CHECK-LABEL: func.func @call
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@twice_0::@twice_0], {{.+}}, tied_operands = [0 : index]}
module attributes {sparse_pattern.target = "arm64"} {
  func.func private @twice_0(%inout: memref<?xf32>, %x: index, %y: index, %z: index)
      attributes {sparse_pattern.workgroups = array<i64: 2, 1, 1>} {
    %0 = memref.load %inout[%x] : memref<?xf32>
    %1 = arith.addf %0, %0 : f32
    memref.store %1, %inout[%x] : memref<?xf32>
    return
  }
  func.func @call(%a: tensor<2xf32>) -> tensor<2xf32> {
    %0 = "flow.dispatch"(%a) {entry_points = [@twice_0], operandSegmentSizes = array<i32: 0, 1, 0, 0>, tied_operands = [0 : index]}
      : (tensor<2xf32>) -> tensor<2xf32>
    return %0 : tensor<2xf32>
  }
}

// -----

// On a GPU the kernel says how many threads a workgroup has.
// CHECK-LABEL: func.func @none_0
// CHECK-SAME:    #iree_codegen.translation_info<pipeline = #iree_gpu.spirv_pipeline<BaseLowering> workgroup_size = [64, 1, 1]>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func private @none_0(%out: memref<?xf32>, %x: index, %y: index, %z: index)
      attributes {sparse_pattern.workgroups = array<i64: 1, 1, 1>} {
    return
  }
  func.func @call() -> tensor<2xf32> {
    %0 = "flow.dispatch"() {entry_points = [@none_0], operandSegmentSizes = array<i32: 0, 0, 0, 0>} : () -> tensor<2xf32>
    return %0 : tensor<2xf32>
  }
}

// -----

// Large constants become parameters of the bundle, equal ones one. They are named after their layer.
// CHECK:         "util.global"()
// CHECK-SAME:      initial_value = #flow.parameter.named<"model"::"classifier.0"> : tensor<256xi8>
// CHECK-SAME:      sym_name = "classifier.0", sym_visibility = "private", type = tensor<256xi8>
// CHECK-LABEL: func.func @parameters
// CHECK-NEXT:    %[[A:.+]] = "util.global.load"() {global = @classifier.0} : () -> tensor<256xi8>
// CHECK-NEXT:    %[[B:.+]] = "util.global.load"() {global = @classifier.0} : () -> tensor<256xi8>
// CHECK-NEXT:    return %[[A]], %[[B]]

// With embed-constants all stay in the module.
// EMBED-LABEL: func.func @parameters
// EMBED-NEXT:    arith.constant
// EMBED-NEXT:    arith.constant
// EMBED-NEXT:    return
#numbers = dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"> : tensor<256xi8>
func.func @parameters() -> (tensor<256xi8>, tensor<256xi8>) {
  %a = arith.constant #numbers loc("classifier")
  %b = arith.constant #numbers loc("other")
  return %a, %b : tensor<256xi8>, tensor<256xi8>
}

// -----

// What another constant begins with, behind dimensions of 1, is cut from it.
// CHECK:         "util.global"()
// CHECK-SAME:      sym_name = "positions.0"{{.*}}tensor<1x512xi8>
// CHECK-LABEL: func.func @beginning
// CHECK-NEXT:    %[[SHORT:.+]] = "util.global.load"() {global = @positions.0}
// CHECK-NEXT:    %[[A:.+]] = tensor.extract_slice %[[SHORT]][0, 0] [1, 256] [1, 1]
// CHECK-NEXT:    %[[B:.+]] = "util.global.load"() {global = @positions.0} : () -> tensor<1x512xi8>
// CHECK-NEXT:    return %[[A]], %[[B]]
#long = dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"> : tensor<1x512xi8>
#short = dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"> : tensor<1x256xi8>
func.func @beginning() -> (tensor<1x256xi8>, tensor<1x512xi8>) {
  %a = arith.constant #short loc("positions")
  %b = arith.constant #long loc("other")
  return %a, %b : tensor<1x256xi8>, tensor<1x512xi8>
}

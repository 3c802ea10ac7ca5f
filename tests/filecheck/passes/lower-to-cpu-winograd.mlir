// Structure of the kernel alone; tests/numeric/ compares what it computes with PyTorch.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-lower-to-cpu,cse)' | FileCheck %s

#planar = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>

// Result and scratch memory are the last two buffers; scratch memory is a result that nobody reads. A register block of two
// filters and a vector of tiles has two multiply-adds for each channel.
// CHECK-LABEL: func.func private @winograd_1(
// CHECK-SAME:    %[[IN:[^:]+]]: memref<?xf32>, %[[VALUES:[^:]+]]: memref<?xf32>, %[[BIAS:[^:]+]]: memref<?xf32>, %[[OUT:[^:]+]]: memref<?xf32>, %[[SCRATCH:[^:]+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 1, 1>
// CHECK:         vector.load %[[IN]]
// CHECK:         vector.store %{{.+}}, %[[SCRATCH]]
// CHECK:         vector.shuffle
// CHECK:         scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK:           vector.load %[[SCRATCH]]
// CHECK:           vector.load %[[VALUES]]
// CHECK-COUNT-2:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:         memref.load %[[BIAS]]
// CHECK:         vector.store %{{.+}}, %[[OUT]]
// CHECK:         return
// CHECK-LABEL: func.func @conv
// CHECK:         %[[Y:.+]]:2 = "flow.dispatch"(%{{.+}}, %{{.+}}, %{{.+}}) {entry_points = [@winograd_1]
// CHECK-SAME:      : (tensor<56xf32>, tensor<32xf32>, tensor<2xf32>) -> (tensor<88xf32>, tensor<{{[0-9]+}}xf32>)
// CHECK:         "flow.dispatch"(%[[Y]]#0)
module attributes {sparse_pattern.target = "arm64"} {
  func.func @conv(%x: tensor<1x1x4x4xf32>, %values: tensor<32xf32>, %bias: tensor<2xf32>) -> tensor<1x2x4x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32, #planar>
    %y = "sparse_pattern.packed_winograd_conv"(%planar, %values, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        kernel_size = array<i64: 3, 3>, window = array<i64: 1, 1>, scheme = #sparse_pattern.dense,
        kernel = #sparse_pattern.winograd<2, 2, 1, 2, 1, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x1x4x4xf32, #planar>, tensor<32xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32, #planar>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4x4xf32, #planar>) -> tensor<1x2x4x4xf32>
    return %plain : tensor<1x2x4x4xf32>
  }
}

// Structure of the kernel alone; tests/numeric/ compares what it computes with PyTorch.

// RUN: niwaki-opt %s --pass-pipeline='builtin.module(sparse-pattern-lower-to-cpu,cse)' | FileCheck %s

#planar = #sparse_pattern.planar<array<i64: 8, 8>, array<i64: 9, 1>, array<i64: 1, 1>, array<i64: 0>, 16, 96, 16>
#half = #sparse_pattern.planar<array<i64: 4, 4>, array<i64: 5, 1>, array<i64: 1, 1>, array<i64: 0>, 8, 32, 16>

// A workgroup for each row of the result. Two filters in two rows of windows are four sums; of each filter the maximum over the
// rows, then over neighbouring lanes, is stored: two windows a vector.
// CHECK-LABEL: func.func private @gather_pool_1(
// CHECK-SAME:    %[[IN:[^:]+]]: memref<?xf32>, %[[VALUES:[^:]+]]: memref<?xf32>, %[[OFFSETS:[^:]+]]: memref<?xi32>, %[[BLOCKS:[^:]+]]: memref<?xi32>, %[[BIAS:[^:]+]]: memref<?xf32>, %[[OUT:[^:]+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 4, 1>
// CHECK:         scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// CHECK-COUNT-2:   vector.load %[[IN]]
// CHECK-COUNT-4:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:         arith.addf
// CHECK:         arith.addf
// CHECK:         arith.maximumf %{{.+}}, %{{.+}} : vector<4xf32>
// CHECK:         %[[EVEN:.+]] = vector.shuffle %[[Y:.+]], %[[Y]] [0, 2]
// CHECK:         %[[ODD:.+]] = vector.shuffle %[[Y]], %[[Y]] [1, 3]
// CHECK:         %[[MAX:.+]] = arith.maximumf %[[EVEN]], %[[ODD]] : vector<2xf32>
// CHECK:         vector.store %[[MAX]], %[[OUT]]
// CHECK-LABEL: func.func @pooled
// CHECK:         "flow.dispatch"(%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}) {entry_points = [@gather_pool_1]
// CHECK-SAME:      : (tensor<320xf32>, tensor<54xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<2xf32>) -> tensor<88xf32>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @pooled(%x: tensor<1x3x8x8xf32>, %values: tensor<54xf32>, %offsets: tensor<33xi32>, %blocks: tensor<1x4xi32>,
                    %bias: tensor<2xf32>) -> tensor<1x2x4x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32, #planar>
    %y = "sparse_pattern.packed_pooled_conv"(%planar, %values, %offsets, %blocks, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, groups = 1,
        kernel_size = array<i64: 3, 3>, window = array<i64: 2, 2>, scheme = #sparse_pattern.dense,
        kernel = #sparse_pattern.gather_pool<2, 2, 1, 1, 1>, full_blocks = 1,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
      : (tensor<1x3x8x8xf32, #planar>, tensor<54xf32>, tensor<33xi32>, tensor<1x4xi32>, tensor<2xf32>)
      -> tensor<1x2x4x4xf32, #half>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4x4xf32, #half>) -> tensor<1x2x4x4xf32>
    return %plain : tensor<1x2x4x4xf32>
  }
}

// Kernels are checked for their structure alone; tests/numeric/ compares what they compute with PyTorch.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-lower-to-cpu,cse)' | FileCheck %s

// Full blocks have two filters, the lower one has one: a loop over columns for each, with an accumulator for each filter, which
// begins with the bias. The rest of the epilogue runs on vectors, and halo is written by select.
// CHECK-LABEL: func.func private @gather_gemm_1(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %[[OFFSETS:.+]]: memref<?xi32>, %[[BLOCKS:.+]]: memref<?xi32>, %[[BIAS:.+]]: memref<?xf32>, %[[MASK:.+]]: memref<?xi8>, %[[OUT:.+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 2, 1, 1>
// CHECK-COUNT-2: memref.load %[[BIAS]]
// CHECK:         %[[SUMS:.+]]:2 = scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK:           vector.load %[[IN]]
// CHECK-COUNT-2:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:         %[[PIXEL:.+]] = arith.cmpi ne, {{.*}} : vector<4xi8>
// CHECK:         %[[STORED:.+]] = arith.select %[[PIXEL]], %[[SUMS]]#0
// CHECK:         vector.store %[[STORED]], %[[OUT]]
// CHECK:         scf.for {{.*}} -> (vector<4xf32>)
// CHECK:         return

// Planar activations are flat tensors: lead 4, planes of 8, slack 16. The mask says which positions are pixels.
// CHECK-LABEL: func.func @conv
// CHECK:         %[[FLAT:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_0]
// CHECK-SAME:      : (tensor<1x2x3xf32>) -> tensor<36xf32>
// CHECK:         %[[MASK:.+]] = arith.constant dense<[1, 1, 1, 0, 0, 0, 0, 0]> : tensor<8xi8>
// CHECK:         %[[Y:.+]] = "flow.dispatch"(%[[FLAT]], %arg2, %arg3, %arg4, %arg1, %[[MASK]])
// CHECK-SAME:      {entry_points = [@gather_gemm_1], operandSegmentSizes = array<i32: 0, 6, 0, 0>}
// CHECK-SAME:      -> tensor<44xf32>
// CHECK:         "flow.dispatch"(%[[Y]]) {entry_points = [@copy_rows_2]
// CHECK-SAME:      : (tensor<44xf32>) -> tensor<1x3x3xf32>
#line = #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @conv(%x: tensor<1x2x3xf32>, %bias: tensor<3xf32>, %values: tensor<9xf32>, %offsets: tensor<12xi32>,
                  %blocks: tensor<2x4xi32>) -> tensor<1x3x3xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32, #line>
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.block_punched<2, 1>, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<2, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
      : (tensor<1x2x3xf32, #line>, tensor<9xf32>, tensor<12xi32>, tensor<2x4xi32>, tensor<3xf32>)
      -> tensor<1x3x3xf32, #line>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x3x3xf32, #line>) -> tensor<1x3x3xf32>
    return %plain : tensor<1x3x3xf32>
  }
}

// -----

// A function such as the exponential is many instructions: there is one copy for all filters of a tile, which reads their sums
// from the stack.
// CHECK-LABEL: func.func private @gather_gemm_1(
// CHECK:         %[[STACK:.+]] = memref.alloca() : memref<2xvector<4xf32>>
// CHECK:         %[[SUMS:.+]]:2 = scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>)
// CHECK:         memref.store %[[SUMS]]#0, %[[STACK]]
// CHECK:         memref.store %[[SUMS]]#1, %[[STACK]]
// CHECK:         scf.for %[[ROW:.+]] =
// CHECK:           %[[SUM:.+]] = memref.load %[[STACK]][%[[ROW]]]
// CHECK:           math.exp %[[SUM]]
// CHECK-NOT:       math.exp
// CHECK:         scf.for {{.*}} -> (vector<4xf32>)
// CHECK:         math.exp
// CHECK-NOT:     math.exp
// CHECK-LABEL: func.func @exponential
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @exponential(%x: tensor<1x2x4xf32>, %bias: tensor<3xf32>, %values: tensor<9xf32>, %offsets: tensor<12xi32>,
                  %blocks: tensor<2x4xi32>) -> tensor<1x3x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32, #line>
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %e = math.exp %acc : f32
      %0 = arith.addf %e, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.block_punched<2, 1>, full_blocks = 1,
        kernel = #sparse_pattern.gather_gemm<2, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}
      : (tensor<1x2x4xf32, #line>, tensor<9xf32>, tensor<12xi32>, tensor<2x4xi32>, tensor<3xf32>)
      -> tensor<1x3x4xf32, #line>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x3x4xf32, #line>) -> tensor<1x3x4xf32>
    return %plain : tensor<1x3x4xf32>
  }
}

// -----

// Layers of one shape share a kernel whatever their weights are; another epilogue makes another kernel.
// CHECK-COUNT-2: func.func private @matvec
// CHECK-NOT:     func.func private
// CHECK-LABEL: func.func @shared
// CHECK:         "flow.dispatch"(%{{.+}}, %arg1, {{.+}}) {entry_points = [@[[KERNEL:matvec_.+]]], operand
// CHECK:         "flow.dispatch"(%{{.+}}, %arg2, {{.+}}) {entry_points = [@[[KERNEL]]], operand
// CHECK-NOT:     @[[KERNEL]]
// CHECK:         "flow.dispatch"(%{{.+}}, %arg1, {{.+}}) {entry_points = [@matvec_
// CHECK:         return
module attributes {sparse_pattern.target = "x86-64-v3"} {
  func.func @shared(%x: tensor<5x4xf32>, %a: tensor<16xf32>, %b: tensor<16xf32>, %offsets: tensor<10xi32>,
                    %blocks: tensor<1x4xi32>) -> tensor<5x4xf32> {
    %0 = "sparse_pattern.packed_linear"(%x, %a, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, kernel = #sparse_pattern.matvec<4, 4, 1>,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<5x4xf32>, tensor<16xf32>, tensor<10xi32>, tensor<1x4xi32>) -> tensor<5x4xf32>
    %1 = "sparse_pattern.packed_linear"(%0, %b, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, kernel = #sparse_pattern.matvec<4, 4, 1>,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<5x4xf32>, tensor<16xf32>, tensor<10xi32>, tensor<1x4xi32>) -> tensor<5x4xf32>
    %2 = "sparse_pattern.packed_linear"(%1, %a, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      %tanh = math.tanh %acc : f32
      "sparse_pattern.yield"(%tanh) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, kernel = #sparse_pattern.matvec<4, 4, 1>,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<5x4xf32>, tensor<16xf32>, tensor<10xi32>, tensor<1x4xi32>) -> tensor<5x4xf32>
    return %2 : tensor<5x4xf32>
  }
}

// -----

// A strided depthwise convolution goes row by row, and takes every other value.
// CHECK-LABEL: func.func private @depthwise_rows_1
// CHECK:         vector.load %arg0
// CHECK:         vector.load %arg0
// CHECK:         vector.shuffle
// CHECK:         vector.fma
// CHECK:         return
// CHECK-LABEL: func.func @strided_depthwise
// CHECK:         %[[FLAT:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_0]
// CHECK:         "flow.dispatch"(%[[FLAT]], %arg1) {entry_points = [@depthwise_rows_1]
#line = #sparse_pattern.planar<array<i64: 9>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 12, 12>
#half = #sparse_pattern.planar<array<i64: 5>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 8, 12>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @strided_depthwise(%x: tensor<1x2x9xf32>, %values: tensor<2xf32>, %offsets: tensor<8xi32>,
                               %blocks: tensor<2x4xi32>) -> tensor<1x2x5xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x9xf32>) -> tensor<1x2x9xf32, #line>
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 2>, dilations = array<i64: 1>, padding = array<i64: 0, 0>, groups = 2,
        kernel_size = array<i64: 1>, scheme = #sparse_pattern.dense, full_blocks = 2,
        kernel = #sparse_pattern.depthwise<1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x9xf32, #line>, tensor<2xf32>, tensor<8xi32>, tensor<2x4xi32>) -> tensor<1x2x5xf32, #half>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x5xf32, #half>) -> tensor<1x2x5xf32>
    return %plain : tensor<1x2x5xf32>
  }
}

// -----

// Vectors as long as a cache line are cut for neighbouring taps from few loads: here of 2 x 16 pixels for 3 taps from 3.
// CHECK-LABEL: func.func private @depthwise_1
// CHECK-COUNT-3: vector.load %arg0{{.*}} vector<16xf32>
// CHECK-NOT:     vector.load %arg0{{.*}} vector<16xf32>
// CHECK-COUNT-2: vector.fma
// CHECK-COUNT-2: vector.shuffle
// CHECK:         return
#wide = #sparse_pattern.planar<array<i64: 32>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 16, 48, 48>
module attributes {sparse_pattern.target = "x86-64-v4"} {
  func.func @depthwise(%x: tensor<1x2x32xf32>, %values: tensor<6xf32>, %offsets: tensor<12xi32>,
                       %blocks: tensor<2x4xi32>) -> tensor<1x2x32xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x32xf32>) -> tensor<1x2x32xf32, #wide>
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 2,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 2,
        kernel = #sparse_pattern.depthwise<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x2x32xf32, #wide>, tensor<6xf32>, tensor<12xi32>, tensor<2x4xi32>) -> tensor<1x2x32xf32, #wide>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x32xf32, #wide>) -> tensor<1x2x32xf32>
    return %plain : tensor<1x2x32xf32>
  }
}

// -----

// A comparison with a constant and a selection are a minimum or maximum where NaN stays NaN; one that drops NaN is left.
// CHECK-LABEL: func.func private @matvec_0
// CHECK-NOT:     arith.cmpf ugt
// CHECK:         %[[RELU:.+]] = arith.maximumf %{{.+}}, %{{.+}} fastmath<nsz> : vector<4xf32>
// CHECK:         %[[RELU6:.+]] = arith.minimumf %[[RELU]], %{{.+}} fastmath<nsz> : vector<4xf32>
// CHECK:         %[[GREATER:.+]] = arith.cmpf ogt, %[[RELU6]]
// CHECK:         arith.select %[[GREATER]], %[[RELU6]]
module attributes {sparse_pattern.target = "x86-64-v3"} {
  func.func @clamps(%x: tensor<5x4xf32>, %a: tensor<16xf32>, %offsets: tensor<10xi32>, %blocks: tensor<1x4xi32>)
      -> tensor<5x4xf32> {
    %zero = arith.constant 0.0 : f32
    %six = arith.constant 6.0 : f32
    %one = arith.constant 1.0 : f32
    %y = "sparse_pattern.packed_linear"(%x, %a, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      %positive = arith.cmpf ugt, %acc, %zero : f32
      %relu = arith.select %positive, %acc, %zero : f32
      %large = arith.cmpf ogt, %relu, %six : f32
      %relu6 = arith.select %large, %six, %relu : f32
      %greater = arith.cmpf ogt, %relu6, %one : f32
      %number = arith.select %greater, %relu6, %one : f32
      "sparse_pattern.yield"(%number) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 1, kernel = #sparse_pattern.matvec<4, 4, 1>,
        operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<5x4xf32>, tensor<16xf32>, tensor<10xi32>, tensor<1x4xi32>) -> tensor<5x4xf32>
    return %y : tensor<5x4xf32>
  }
}

// -----

// A pooling combines the taps of its window; an average divides in the epilogue.
// CHECK-LABEL: func.func private @pool_sum_1
// CHECK-COUNT-2: vector.load %arg0
// CHECK:         arith.addf
// CHECK:         arith.divf {{.*}} : vector<4xf32>
// CHECK:         return
// CHECK-LABEL: func.func @pool
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@pool_sum_1]
#line = #sparse_pattern.planar<array<i64: 5>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
#result = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 4, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @pool(%x: tensor<1x2x5xf32>) -> tensor<1x2x4xf32> {
    %two = arith.constant 2.0 : f32
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32, #line>
    %y = "sparse_pattern.pool"(%planar) ({
    ^bb0(%acc: f32):
      %0 = arith.divf %acc, %two : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x5xf32, #line>) -> tensor<1x2x4xf32, #result>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4xf32, #result>) -> tensor<1x2x4xf32>
    return %plain : tensor<1x2x4xf32>
  }
}

// -----

// A constant around the region is part of the code: poolings that differ in it alone share no kernel, in whatever function
// they are. A kernel takes no name that the module has.
// CHECK-LABEL: func.func @halves
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@[[HALVES:pool_sum_.+]]], operand
// CHECK-LABEL: func.func @copy_rows_0
// CHECK-NOT:     @[[HALVES]]
// CHECK:         "flow.dispatch"(%{{.+}}) {entry_points = [@pool_sum_
// CHECK-LABEL: func.func @halves_too
// CHECK:         @[[HALVES]]
#line = #sparse_pattern.planar<array<i64: 5>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
#result = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 4, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @halves(%x: tensor<1x2x5xf32>) -> tensor<1x2x4xf32> {
    %divisor = arith.constant 2.0 : f32
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32, #line>
    %y = "sparse_pattern.pool"(%planar) ({
    ^bb0(%acc: f32):
      %0 = arith.divf %acc, %divisor : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x5xf32, #line>) -> tensor<1x2x4xf32, #result>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4xf32, #result>) -> tensor<1x2x4xf32>
    return %plain : tensor<1x2x4xf32>
  }
  func.func @copy_rows_0(%x: tensor<1x2x5xf32>) -> tensor<1x2x4xf32> {
    %divisor = arith.constant 7.0 : f32
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32, #line>
    %y = "sparse_pattern.pool"(%planar) ({
    ^bb0(%acc: f32):
      %0 = arith.divf %acc, %divisor : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x5xf32, #line>) -> tensor<1x2x4xf32, #result>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4xf32, #result>) -> tensor<1x2x4xf32>
    return %plain : tensor<1x2x4xf32>
  }
  func.func @halves_too(%unused: f32, %x: tensor<1x2x5xf32>) -> tensor<1x2x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32, #line>
    %y = "sparse_pattern.pool"(%planar) ({
    ^bb0(%acc: f32):
      %divisor = arith.constant 2.0 : f32
      %0 = arith.divf %acc, %divisor : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x5xf32, #line>) -> tensor<1x2x4xf32, #result>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x4xf32, #result>) -> tensor<1x2x4xf32>
    return %plain : tensor<1x2x4xf32>
  }
}

// -----

// One filter at a time, the channels in three parts. The first part begins with zeros, those between go on with sums from the
// stack, the last one writes the result. Four columns at once have their weights in one vector; a second loop takes the others.
// CHECK-LABEL: func.func private @spmm_1(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %[[OFFSETS:.+]]: memref<?xi32>, %[[BLOCKS:.+]]: memref<?xi32>, %[[MASK:.+]]: memref<?xi8>, %[[OUT:.+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 2, 1, 1>
// CHECK:         %[[SUMS:.+]] = memref.alloca() : memref<2xvector<4xf32>>
// CHECK:         scf.for
// CHECK-COUNT-3:   memref.load %[[BLOCKS]]
// CHECK:           %[[FOURS:.+]] = scf.for {{.*}} -> (vector<4xf32>)
// CHECK:             memref.load %[[OFFSETS]]
// CHECK:             vector.load %[[IN]]
// CHECK:             vector.load %[[VALUES]]
// CHECK:             vector.fma
// CHECK-COUNT-3:     memref.load %[[OFFSETS]]
// CHECK:             vector.fma
// CHECK:           %[[FIRST:.+]] = scf.for {{.*}} = %[[FOURS]])
// CHECK:             memref.load %[[OFFSETS]]
// CHECK:             vector.load %[[IN]]
// CHECK:             memref.load %[[VALUES]]
// CHECK:             vector.fma
// CHECK:           memref.store %[[FIRST]], %[[SUMS]]
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             memref.load %[[SUMS]]
// CHECK:             %[[MORE:.+]] = scf.for {{.*}} -> (vector<4xf32>)
// CHECK:             %[[MIDDLE:.+]] = scf.for {{.*}} = %[[MORE]])
// CHECK:             memref.store %[[MIDDLE]], %[[SUMS]]
// CHECK:         %[[PIXEL:.+]] = arith.cmpi ne, {{.*}} : vector<4xi8>
// CHECK:         scf.for
// CHECK:           memref.load %[[SUMS]]
// CHECK:           %[[MOST:.+]] = scf.for {{.*}} -> (vector<4xf32>)
// CHECK:           %[[LAST:.+]] = scf.for {{.*}} = %[[MOST]])
// CHECK:           %[[STORED:.+]] = arith.select %[[PIXEL]], %[[LAST]]
// CHECK:           vector.store %[[STORED]], %[[OUT]]
// CHECK:         return
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @single_filters(%x: tensor<1x3x4xf32>, %values: tensor<9xf32>, %offsets: tensor<15xi32>,
                            %blocks: tensor<9x4xi32>) -> tensor<1x3x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32, #line>
    %y = "sparse_pattern.packed_conv"(%planar, %values, %offsets, %blocks) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.unstructured, full_blocks = 9,
        kernel = #sparse_pattern.spmm<2, 1, 1, 3>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}
      : (tensor<1x3x4xf32, #line>, tensor<9xf32>, tensor<15xi32>, tensor<9x4xi32>) -> tensor<1x3x4xf32, #line>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x3x4xf32, #line>) -> tensor<1x3x4xf32>
    return %plain : tensor<1x3x4xf32>
  }
}

// -----

// Two patterns of two taps. Sums of three filters wait on the stack: first zeros, then for each channel, and each pattern that
// some kernel of it has, the taps are loaded once and added for each kernel. The number of the kernel is carried along. The
// epilogue runs at the end, and halo is written by select. The result takes the residual's memory.
// CHECK-LABEL: func.func private @pattern_gemm_2(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[VALUES:.+]]: memref<?xf32>, %[[FILTERS:.+]]: memref<?xi8>, %[[COUNTS:.+]]: memref<?xi16>, %[[STARTS:.+]]: memref<?xi32>, %[[BIAS:.+]]: memref<?xf32>, %[[MASK:.+]]: memref<?xi8>, %[[OUT:.+]]: memref<?xf32>, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 1, 1>
// CHECK:         %[[SUMS:.+]] = memref.alloca() : memref<3xvector<4xf32>>
// CHECK:         scf.for
// CHECK:           memref.store %{{.+}}, %[[SUMS]]
// CHECK:         memref.load %[[STARTS]]
// CHECK:         scf.for {{.*}} iter_args({{.*}}) -> (index)
// CHECK:           %[[COUNT:.+]] = memref.load %[[COUNTS]]
// CHECK:           arith.index_castui %[[COUNT]] : i16 to index
// CHECK:           scf.if
// CHECK-COUNT-2:     vector.load %[[IN]]
// CHECK-NOT:         vector.load
// CHECK:             scf.for
// CHECK:               %[[FILTER:.+]] = memref.load %[[FILTERS]]
// CHECK:               arith.index_castui %[[FILTER]] : i8 to index
// CHECK:               vector.load %[[VALUES]]{{.+}}, vector<2xf32>
// CHECK:               memref.load %[[SUMS]]
// CHECK-COUNT-2:       vector.fma
// CHECK:               memref.store %{{.+}}, %[[SUMS]]
// CHECK:           scf.if
// CHECK-COUNT-2:     vector.load %[[IN]]
// CHECK:             scf.for
// CHECK:           scf.yield %{{.+}} : index
// CHECK:         %[[PIXEL:.+]] = arith.cmpi ne, {{.*}} : vector<4xi8>
// CHECK:         scf.for
// CHECK:           memref.load %[[BIAS]]
// CHECK:           memref.load %[[SUMS]]
// CHECK:           vector.load %[[OUT]]
// CHECK:           %[[STORED:.+]] = arith.select %[[PIXEL]]
// CHECK:           vector.store %[[STORED]], %[[OUT]]
// CHECK:         return

// The mask of pixels comes between what is for each filter and what is for each position.
// CHECK-LABEL: func.func @patterns
// CHECK:         %[[FLAT:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_0]
// CHECK:         %[[MASK:.+]] = arith.constant dense<[1, 1, 1, 1, 0, 0, 0, 0]> : tensor<8xi8>
// CHECK:         "flow.dispatch"(%[[FLAT]], %arg2, %arg3, %arg4, %arg5, %arg1, %[[MASK]], %{{[^)]+}})
// CHECK-SAME:      {entry_points = [@pattern_gemm_2], operandSegmentSizes = array<i32: 0, 8, 0, 0>, tied_operands = [7 : index]}
// CHECK-SAME:      -> tensor<44xf32>
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
module attributes {sparse_pattern.target = "arm64"} {
  func.func @patterns(%x: tensor<1x2x4xf32>, %bias: tensor<3xf32>, %values: tensor<8xf32>, %filters: tensor<4xi8>,
                      %counts: tensor<1x2x2xi16>, %starts: tensor<1xi32>, %residual: tensor<1x3x4xf32>)
      -> tensor<1x3x4xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32, #line>
    %r = "sparse_pattern.convert_layout"(%residual) : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32, #line>
    %y = "sparse_pattern.packed_pattern_conv"(%planar, %values, %filters, %counts, %starts, %bias, %r) ({
    ^bb0(%acc: f32, %b: f32, %a: f32):
      %0 = arith.addf %acc, %b : f32
      %1 = arith.addf %0, %a : f32
      "sparse_pattern.yield"(%1) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
        kernel_size = array<i64: 3>, patterns = array<i64: 1, 2, 0, 1>, scheme = #sparse_pattern.pattern<2, 2, 1>,
        kernel = #sparse_pattern.pattern_gemm<3, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1>}
      : (tensor<1x2x4xf32, #line>, tensor<8xf32>, tensor<4xi8>, tensor<1x2x2xi16>, tensor<1xi32>, tensor<3xf32>,
         tensor<1x3x4xf32, #line>) -> tensor<1x3x4xf32, #line>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x3x4xf32, #line>) -> tensor<1x3x4xf32>
    return %plain : tensor<1x3x4xf32>
  }
}

// Kernels are checked for their structure alone; tests/end_to_end/test_vulkan.py compares what they compute with PyTorch.

// RUN: niwaki-opt %s --split-input-file --pass-pipeline='builtin.module(sparse-pattern-lower-to-gpu,cse)' | FileCheck %s

// Of 64 threads each computes one pixel for the filters of a block: two in the full block, one in the lower. A line of
// the stream has where four columns are read, two more have their weights, two filters side by side. The bias is in
// the head of the block. Threads beyond the last pixel (number 3) compute it again, and store zero up to the plane's
// end (8).
// CHECK-LABEL: func.func private @thread_gemm_1(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[WORDS:.+]]: memref<?xvector<4xi32>>, %[[OUT:[^:]+]]: memref<?xf32>, %[[X:[^:]+]]: index, %[[Y:[^:]+]]: index, %{{.+}}: index)
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 2, 1, 1>
// CHECK:         %[[TILE:.+]] = arith.muli %[[Y]], %c64 : index
// CHECK:         %[[THREAD:.+]] = gpu.thread_id x
// CHECK:         %[[PIXEL:.+]] = arith.addi %[[TILE]], %[[THREAD]] : index
// CHECK:         %[[FULL:.+]] = arith.cmpi slt, %[[X]], %{{.+}} : index
// CHECK:         scf.if %[[FULL]] {
// CHECK:           %[[HEAD:.+]] = memref.load %[[WORDS]]
// CHECK:           %[[GROUPS:.+]] = vector.extract %[[HEAD]][2]
// CHECK:           %[[LEFT:.+]] = vector.extract %[[HEAD]][3]
// CHECK:           %[[TURNS:.+]] = arith.index_cast %[[GROUPS]]
// CHECK:           %[[MORE:.+]] = arith.index_cast %[[LEFT]]
// CHECK:           %[[BIASES:.+]] = vector.bitcast %{{.+}} : vector<4xi32> to vector<4xf32>
// CHECK:           %[[BIAS:.+]] = vector.extract %[[BIASES]][0]
// CHECK-DAG:       %[[LAST:.+]] = arith.constant 3 : index
// CHECK:           arith.minsi %[[PIXEL]], %[[LAST]] : index
// CHECK:           %[[SOME:.+]] = arith.cmpi sgt, %[[MORE]], %c0
// CHECK:           %[[SUMS:.+]] = scf.for %{{.+}} = %c0 to %[[TURNS]] {{.*}} -> (vector<2xf32>) {
// CHECK-COUNT-3:     memref.load %[[WORDS]]
// CHECK:             %[[TAKEN:.+]] = memref.load %[[IN]]
// CHECK:             %[[BOTH:.+]] = vector.broadcast %[[TAKEN]]
// CHECK:             vector.fma %{{.+}}, %[[BOTH]]
// CHECK-COUNT-3:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
// CHECK:           %[[ALL:.+]] = scf.if %[[SOME]] -> (vector<2xf32>) {
// CHECK:             vector.fma
// CHECK:             scf.if %{{.+}} -> (vector<2xf32>) {
// CHECK:             scf.if %{{.+}} -> (vector<2xf32>) {
// CHECK:             scf.yield %[[SUMS]]
// CHECK:           %[[END:.+]] = arith.constant 8 : index
// CHECK:           %[[HERE:.+]] = arith.cmpi slt, %[[PIXEL]], %[[END]] : index
// CHECK:           scf.if %[[HERE]] {
// CHECK:             %[[SUM:.+]] = vector.extract %[[ALL]][0]
// CHECK:             %[[INSIDE:.+]] = arith.cmpi slt, %[[PIXEL]]
// CHECK:             %[[RESULT:.+]] = arith.addf %[[SUM]], %[[BIAS]]
// CHECK:             %[[STORED:.+]] = arith.select %[[INSIDE]], %[[RESULT]]
// CHECK:             memref.store %[[STORED]], %[[OUT]]
// CHECK:         scf.for {{.*}} -> (f32) {
// CHECK:         return

// The zeros before the first plane are the first workgroup's; the halo is the zero where a thread finds no pixel.
// CHECK-LABEL: func.func private @copy_rows_0(
// CHECK-SAME:    %[[FROM:.+]]: memref<?xf32>, %[[TO:[^:]+]]: memref<?xf32>
// CHECK:         scf.if
// CHECK:           scf.for %[[I:.+]] = %{{.+}} to
// CHECK:             memref.store %{{.+}}, %[[TO]][%[[I]]]
// CHECK:         %[[PLAIN:.+]] = scf.if %{{.+}} -> (f32) {
// CHECK:           memref.load %[[FROM]]
// CHECK:         } else {
// CHECK:         memref.store %[[PLAIN]], %[[TO]]

// Three buffers: no mask, since where pixels are is computed, and no bias.
// CHECK-LABEL: func.func @conv
// CHECK:         %[[FLAT:.+]] = "flow.dispatch"(%{{.+}}) {entry_points = [@copy_rows_0]
// CHECK-SAME:      : (tensor<1x2x4xf32>) -> tensor<36xf32>
// CHECK:         %[[CONV:.+]] = "flow.dispatch"(%[[FLAT]], %arg1)
// CHECK-SAME:      {entry_points = [@thread_gemm_1], operandSegmentSizes = array<i32: 0, 2, 0, 0>}
// CHECK-SAME:      -> tensor<44xf32>
// CHECK:         "flow.dispatch"(%[[CONV]]) {entry_points = [@copy_rows_2]
// CHECK-SAME:      : (tensor<44xf32>) -> tensor<1x3x4xf32>
#line = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @conv(%x: tensor<1x2x4xf32>, %words: tensor<80xi32>) -> tensor<1x3x4xf32> {
    %bias = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32, #line>
    %y = "sparse_pattern.packed_stream_conv"(%planar, %words, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 1,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.block_punched<2, 1>, full_blocks = 1, blocks = 2, in_heads = 1,
        kernel = #sparse_pattern.thread_gemm<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x2x4xf32, #line>, tensor<80xi32>, tensor<3xf32>)
      -> tensor<1x3x4xf32, #line>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x3x4xf32, #line>) -> tensor<1x3x4xf32>
    return %plain : tensor<1x3x4xf32>
  }
}

// -----

// One channel, three pixels a thread: five pixels are loaded for nine multiply-adds. The channel's lines have its bias
// and the three taps. Threads of the row, one here, store zeros from its end (3) to the plane's (6).
// CHECK-LABEL: func.func private @thread_depthwise_1(
// CHECK-SAME:    %[[IN:.+]]: memref<?xf32>, %[[WORDS:.+]]: memref<?xvector<4xi32>>, %[[OUT:[^:]+]]: memref<?xf32>, %[[X:[^:]+]]: index
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 1, 1>
// CHECK-COUNT-2: memref.load %[[WORDS]]
// CHECK-COUNT-3: memref.load %[[IN]]
// CHECK:         math.fma
// CHECK-COUNT-2: memref.load %[[IN]]
// CHECK-NOT:     memref.load
// CHECK-COUNT-3: memref.store
// CHECK:         scf.for
// CHECK:           memref.store %cst{{.*}}, %[[OUT]]
#row = #sparse_pattern.planar<array<i64: 3>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 6, 16>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @depthwise(%x: tensor<1x2x3xf32>, %words: tensor<16xi32>, %bias: tensor<2xf32>) -> tensor<1x2x3xf32> {
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32, #row>
    %y = "sparse_pattern.packed_stream_conv"(%planar, %words, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {strides = array<i64: 1>, dilations = array<i64: 1>, padding = array<i64: 1, 1>, groups = 2,
        kernel_size = array<i64: 3>, scheme = #sparse_pattern.dense, full_blocks = 2, blocks = 2, in_heads = 1,
        kernel = #sparse_pattern.thread_depthwise<3>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x2x3xf32, #row>, tensor<16xi32>, tensor<2xf32>) -> tensor<1x2x3xf32, #row>
    %plain = "sparse_pattern.convert_layout"(%y) : (tensor<1x2x3xf32, #row>) -> tensor<1x2x3xf32>
    return %plain : tensor<1x2x3xf32>
  }
}

// -----

// Linear layers: 32 threads share a block's columns, two blocks a workgroup. Sums of two rows and two filters go to
// memory that all threads have; after the barrier some add them up, with the bias of the filter that they have then.
// CHECK-LABEL: func.func private @thread_matvec_0
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 3, 1>
// CHECK:         %[[SHARED:.+]] = memref.alloc() : memref<256xf32, #gpu.address_space<workgroup>>
// CHECK:         scf.if
// CHECK:           scf.for {{.*}} -> (vector<2xf32>, vector<2xf32>) {
// CHECK-COUNT-3:     memref.load %arg1
// CHECK-COUNT-8:     vector.fma
// CHECK-NOT:         vector.fma
// CHECK:             scf.yield
// CHECK-COUNT-4:   memref.store %{{.+}}, %[[SHARED]]
// CHECK:         gpu.barrier
// CHECK:         scf.if
// CHECK:           scf.for {{.*}} -> (f32) {
// CHECK:             memref.load %[[SHARED]]
// CHECK:           arith.select {{.*}} : f32
// CHECK:           memref.store %{{.+}}, %arg2
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @linear(%x: tensor<5x6xf32>, %words: tensor<40xi32>) -> tensor<5x4xf32> {
    %bias = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %0 = "sparse_pattern.packed_stream_linear"(%x, %words, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %1 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%1) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 2, blocks = 2, in_heads = 1,
        kernel = #sparse_pattern.thread_matvec<2, 2, 32>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<5x6xf32>, tensor<40xi32>, tensor<4xf32>) -> tensor<5x4xf32>
    return %0 : tensor<5x4xf32>
  }
}

// -----

// A dense layer with whole lines of inputs: four columns are a load of each row, and two lines of weights without their
// offsets. A thread that has a block for itself stores its sums, but for rows beyond the last.
// CHECK-LABEL: func.func private @thread_matvec_0(%arg0: memref<?xvector<4xf32>>
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 3, 1>
// CHECK-NOT:     memref.alloc
// CHECK:         scf.for {{.*}} -> (vector<2xf32>, vector<2xf32>) {
// CHECK-COUNT-2:   memref.load %arg0
// CHECK-COUNT-2:   memref.load %arg1
// CHECK-NOT:       memref.load
// CHECK-COUNT-8:   vector.fma
// CHECK:           scf.yield
// CHECK-NOT:     vector.fma
// CHECK-NOT:     gpu.barrier
// CHECK-COUNT-4: memref.store %{{.+}}, %arg2
// CHECK-NOT:     memref.store
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @linear(%x: tensor<5x8xf32>, %words: tensor<64xi32>) -> tensor<5x4xf32> {
    %0 = "sparse_pattern.packed_stream_linear"(%x, %words) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {scheme = #sparse_pattern.dense, full_blocks = 2, blocks = 2, in_heads = 0,
        kernel = #sparse_pattern.thread_matvec<2, 2, 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<5x8xf32>, tensor<64xi32>) -> tensor<5x4xf32>
    return %0 : tensor<5x4xf32>
  }
}

// -----

// Pooling: a thread has neighbouring pixels of a row, here all four, and loads what their windows share once; an average
// divides in the epilogue. Threads share a window of the whole input, but for one as small as this.
// CHECK-LABEL: func.func private @reduce_max_2
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 1, 1>
// CHECK:         gpu.thread_id x
// CHECK:         scf.for
// CHECK:           arith.maximumf
// CHECK-NOT:     gpu.barrier
// CHECK-LABEL: func.func private @pool_sum_1
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 1, 1, 1>
// CHECK-COUNT-5:   memref.load %arg0
// CHECK-NOT:       memref.load
// CHECK-COUNT-4:   arith.divf {{.*}} : f32
// CHECK:         return
#line = #sparse_pattern.planar<array<i64: 5>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 4, 8, 16>
#result = #sparse_pattern.planar<array<i64: 4>, array<i64: 1>, array<i64: 1>, array<i64: 0>, 0, 4, 16>
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @pool(%x: tensor<1x2x5xf32>) -> tensor<1x2x1xf32> {
    %two = arith.constant 2.0 : f32
    %planar = "sparse_pattern.convert_layout"(%x) : (tensor<1x2x5xf32>) -> tensor<1x2x5xf32, #line>
    %y = "sparse_pattern.pool"(%planar) ({
    ^bb0(%acc: f32):
      %0 = arith.divf %acc, %two : f32
      "sparse_pattern.yield"(%0) : (f32) -> ()
    }) {kind = "sum", kernel = array<i64: 2>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x5xf32, #line>) -> tensor<1x2x4xf32, #result>
    %z = "sparse_pattern.pool"(%y) ({
    ^bb0(%acc: f32):
      "sparse_pattern.yield"(%acc) : (f32) -> ()
    }) {kind = "max", kernel = array<i64: 4>, strides = array<i64: 1>, dilations = array<i64: 1>,
        padding = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x4xf32, #result>) -> tensor<1x2x1xf32>
    return %z : tensor<1x2x1xf32>
  }
}

// -----

// Recurrent layers: a workgroup of 128 threads for each sequence. Sums of all gates and states are in its memory; what
// reads the state of one step and what writes that of the next have barriers between them. Here three sequences of five
// units with two filters a block: two whole ones and one of the last filter, for the third pair of threads.
// CHECK-LABEL: func.func private @thread_recurrence_0
// CHECK-SAME:    sparse_pattern.threads = 128
// CHECK-SAME:    sparse_pattern.workgroups = array<i64: 3, 1, 1>
// CHECK:         %[[SUMS:.+]] = memref.alloc() : memref<10xf32, #gpu.address_space<workgroup>>
// CHECK:         %[[STATES:.+]] = memref.alloc() : memref<5xf32, #gpu.address_space<workgroup>>
// CHECK:         scf.for
// CHECK:           memref.load %arg2
// CHECK:           memref.store %{{.+}}, %[[STATES]]
// CHECK:         scf.for %{{.+}} = %c0{{.*}} to %c7
// CHECK:           gpu.barrier
// CHECK:           scf.for
// CHECK:             memref.load %[[STATES]]
// CHECK:             vector.fma {{.*}} : vector<2xf32>
// CHECK:             memref.store %{{.+}}, %[[SUMS]]
// CHECK:           scf.if
// CHECK:             memref.store %{{.+}}, %[[SUMS]]
// CHECK:           gpu.barrier
// CHECK-NOT:       gpu.barrier
// CHECK:           scf.for
// CHECK-COUNT-2:     memref.load %[[SUMS]]
// CHECK:             memref.store %{{.+}}, %[[STATES]]
// CHECK:             memref.store %{{.+}}, %arg3
// CHECK:         scf.for
// CHECK:           memref.store %{{.+}}, %arg2
// The states at the end take the place of a copy of those that the caller has.
// CHECK-LABEL: func.func @recurrent
// CHECK:         %[[COPY:.+]] = linalg.generic {{.*}} ins(%arg2 :
// CHECK:         "flow.dispatch"(%arg0, %arg1, %[[COPY]]) {{.*}} tied_operands = [-1 : index, 2 : index]
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @recurrent(%x: tensor<7x3x5xf32>, %words: tensor<64xi32>, %begin: tensor<1x3x5xf32>)
      -> (tensor<7x3x5xf32>, tensor<1x3x5xf32>) {
    %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
    ^bb0(%product: f32, %input: f32, %state: f32):
      %sum = arith.addf %product, %input : f32
      "sparse_pattern.next"(%sum) : (f32) -> ()
    }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, weights = f32,
        kernel = #sparse_pattern.thread_recurrence<2, 2>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
      : (tensor<7x3x5xf32>, tensor<64xi32>, tensor<1x3x5xf32>) -> (tensor<7x3x5xf32>, tensor<1x3x5xf32>)
    return %y, %last : tensor<7x3x5xf32>, tensor<1x3x5xf32>
  }
}

// -----

// States that are one number need no buffer, those at the end have one of their own. Late gates multiply what the cell
// makes of the others: another product, and two more barriers.
// CHECK-LABEL: func.func private @thread_recurrence_0
// CHECK:         memref.alloc() : memref<16xf32, #gpu.address_space<workgroup>>
// CHECK:         memref.alloc() : memref<8xf32, #gpu.address_space<workgroup>>
// CHECK:         %[[FACTOR:.+]] = memref.alloc() : memref<8xf32, #gpu.address_space<workgroup>>
// CHECK:         gpu.barrier
// CHECK:         vector.fma
// CHECK:         gpu.barrier
// CHECK:         memref.store %{{.+}}, %[[FACTOR]]
// CHECK:         gpu.barrier
// CHECK:         memref.load %[[FACTOR]]
// CHECK:         vector.fma
// CHECK:         gpu.barrier
// CHECK-NOT:     gpu.barrier
// CHECK:         memref.store %{{.+}}, %arg2
// CHECK:         memref.store %{{.+}}, %arg3
// CHECK-LABEL: func.func @late
// CHECK:         "flow.dispatch"(%arg0, %arg1) {{.*}} -> (tensor<7x1x8xf32>, tensor<1x1x8xf32>)
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @late(%x: tensor<7x1x16xf32>, %words: tensor<64xi32>) -> (tensor<7x1x8xf32>, tensor<1x1x8xf32>) {
    %begin = arith.constant dense<0.0> : tensor<1x1x8xf32>
    %y, %last = "sparse_pattern.packed_stream_recurrent"(%x, %words, %begin) ({
    ^bb0(%early: f32, %product: f32, %input: f32, %other: f32, %state: f32):
      %sum = arith.addf %product, %early : f32
      %factor = arith.mulf %early, %state : f32
      "sparse_pattern.next"(%sum, %factor) : (f32, f32) -> ()
    }) {late = 1, reverse = true, scheme = #sparse_pattern.dense, weights = f32,
        kernel = #sparse_pattern.thread_recurrence<2, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}
      : (tensor<7x1x16xf32>, tensor<64xi32>, tensor<1x1x8xf32>) -> (tensor<7x1x8xf32>, tensor<1x1x8xf32>)
    return %y, %last : tensor<7x1x8xf32>, tensor<1x1x8xf32>
  }
}

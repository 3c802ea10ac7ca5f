// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-outline-loops)'

// The host would read the number of turns.
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @turns(%x: tensor<4xf32>, %n: tensor<index>) -> tensor<4xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %last = tensor.extract %n[] : tensor<index>
    // expected-error @+1 {{scf.for depends on data, which IREE reads wrongly on GPUs: compile for a CPU}}
    %y = scf.for %i = %c0 to %last step %c1 iter_args(%h = %x) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
      %z = linalg.exp ins(%h : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      scf.yield %z : tensor<4xf32>
    }
    return %y : tensor<4xf32>
  }
}

// -----

// A number of turns that is known is nothing to read, and a body of scalar code may read.
module attributes {sparse_pattern.target = "vulkan"} {
  func.func @known(%x: tensor<4xf32>, %n: tensor<4xindex>) -> tensor<4xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c9 = arith.constant 9 : index
    %y = scf.for %i = %c0 to %c9 step %c1 iter_args(%h = %x) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
      %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
          ins(%n : tensor<4xindex>) outs(%e : tensor<4xf32>) {
      ^bb0(%place: index, %out: f32):
        %value = tensor.extract %h[%place] : tensor<4xf32>
        linalg.yield %value : f32
      } -> tensor<4xf32>
      scf.yield %z : tensor<4xf32>
    }
    return %y : tensor<4xf32>
  }
}

// -----

// Numbers of 64 bits and tensors may be carried.
func.func @numbers(%x: tensor<4xf32>, %a: f32, %b: i64, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %wide:2 = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x, %j = %b) -> (tensor<4xf32>, i64) {
    %k = arith.addi %j, %j : i64
    scf.yield %h, %k : tensor<4xf32>, i64
  }
  // expected-error @+1 {{scf.for carries a number of f32, which IREE may overwrite: make it one of i64, or a tensor}}
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %a) -> f32 {
    %z = arith.addf %h, %a : f32
    scf.yield %z : f32
  }
  return %y : f32
}

// -----

// Only what runs in order is known.
func.func @others(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<4xf32> {
    // expected-error @+1 {{scf.forall is not supported: write it as scf.for or scf.if}}
    %y = scf.forall (%j) in (4) shared_outs(%o = %h) -> tensor<4xf32> {
      %s = tensor.extract_slice %h[%j] [1] [1] : tensor<4xf32> to tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %s into %o[%j] [1] [1] : tensor<1xf32> into tensor<4xf32>
      }
    }
    scf.yield %y : tensor<4xf32>
  }
  return %z : tensor<4xf32>
}

// -----

// A loop that is written as branches.
func.func @branches(%a: i32, %n: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  cf.br ^turn(%a, %c0 : i32, index)
// expected-error @+1 {{a block carries a number of i32, which IREE may overwrite: make it one of i64, or a tensor}}
^turn(%h: i32, %i: index):
  %go = arith.cmpi slt, %i, %n : index
  cf.cond_br %go, ^body, ^end
^body:
  %z = arith.addi %h, %h : i32
  %j = arith.addi %i, %c1 : index
  cf.br ^turn(%z, %j : i32, index)
^end:
  return %h : i32
}

// What the verifier of attentions refuses.

// RUN: niwaki-opt %s --split-input-file --verify-diagnostics

func.func @f(%q: tensor<1x2x3x8xf64>, %k: tensor<1x2x4x8xf64>, %v: tensor<1x2x4x5xf64>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs elements of f32 or f16, got f64}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf64>, tensor<1x2x4x8xf64>, tensor<1x2x4x5xf64>) -> tensor<1x2x3x5xf64>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x?x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a key of rank 4 and static sizes from 1 on, got tensor<1x2x?x8xf32>}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a query of rank 4 and static sizes from 1 on, got tensor<2x3x8xf32>}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x0xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a value of rank 4 and static sizes from 1 on, got tensor<1x2x4x0xf32>}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x0xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf16>) {
  // expected-error @+1 {{'sparse_pattern.attention' op has a value of f16 for a query of f32}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf16>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs query_axes that are the dimensions 0, 1 and 2 in some order, got array<i64: 0, 1, 3>}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 3>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs query_axes that are the dimensions 0, 1 and 2 in some order, got 3}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = 3 : i64, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x3x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op has 2 heads of queries, which 3 heads of keys do not divide}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x3x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x9xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a key of [1, 2, 4, 8] as batch, heads, tokens and numbers of a head, got [1, 2, 4, 9]}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x9xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x6x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a value of [1, 2, 4, 5] as batch, heads, tokens and numbers of a head, got [1, 2, 6, 5]}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x6x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a result of [1, 2, 3, 5] as batch, heads, tokens and numbers of a head, got [1, 2, 3, 8]}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x8xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>, %m0: tensor<1x1x1x4xf32>, %m1: tensor<1x1x1x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs one mask or none, got 2}}
  %y = "sparse_pattern.attention"(%q, %k, %v, %m0, %m1) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 2>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>, tensor<1x1x1x4xf32>, tensor<1x1x1x4xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>, %m0: tensor<1x1x3x4xi8>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a mask of f32, f16 or i1, got i8}}
  %y = "sparse_pattern.attention"(%q, %k, %v, %m0) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>, tensor<1x1x3x4xi8>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>, %m0: tensor<1x1x2x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a mask whose sizes are 1 or those of 1x2x3x4, got 1x1x2x4}}
  %y = "sparse_pattern.attention"(%q, %k, %v, %m0) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>, tensor<1x1x2x4xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>, %m0: tensor<3x4xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a mask whose sizes are 1 or those of 1x2x3x4, got 3x4}}
  %y = "sparse_pattern.attention"(%q, %k, %v, %m0) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 1>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>, tensor<3x4xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs a softcap of at least 0, got -1.0}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = -1.0 : f32, causal = false, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

// -----

func.func @f(%q: tensor<1x2x3x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x5xf32>) {
  // expected-error @+1 {{'sparse_pattern.attention' op needs true or false as causal, got 1}}
  %y = "sparse_pattern.attention"(%q, %k, %v) {query_axes = array<i64: 0, 1, 2>, key_axes = array<i64: 0, 1, 2>, value_axes = array<i64: 0, 1, 2>,
      result_axes = array<i64: 0, 1, 2>, scale = 0.5 : f32, softcap = 0.0 : f32, causal = 1 : i64, offset = 0, zeros = true,
      operandSegmentSizes = array<i32: 1, 1, 1, 0>}
    : (tensor<1x2x3x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x3x5xf32>
  return
}

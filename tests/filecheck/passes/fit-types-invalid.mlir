// RUN: niwaki-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(sparse-pattern-fit-types)'

module attributes {sparse_pattern.target = "vulkan"} {
  // expected-error @below {{input 0 is a tensor of 3x2 f16, which shaders of target 'vulkan' cannot store: use a target that can (vulkan-f16, vulkan-adreno, vulkan-mali, vulkan-arm5gen, vulkan-desktop, host)}}
  func.func @half(%x: tensor<3x2xf16>) -> tensor<3x2xf16> {
    return %x : tensor<3x2xf16>
  }
}

// -----

module attributes {sparse_pattern.target = "vulkan-adreno"} {
  func.func @bytes(%x: tensor<3x5xf32>) -> tensor<3x5xi1> {
    // expected-error @below {{computes a tensor of 3x5 i1, which shaders of target 'vulkan-adreno' cannot store: use a multiple of 4 elements, or a target that can (vulkan-mali, vulkan-arm5gen, vulkan-desktop, host)}}
    %0 = arith.cmpf ogt, %x, %x : tensor<3x5xf32>
    return %0 : tensor<3x5xi1>
  }
}

// -----

module attributes {sparse_pattern.target = "vulkan"} {
  func.func @wide(%x: tensor<3xi64>) -> tensor<3xi64> {
    // expected-error @below {{has the constant 5000000000, but this target has integers of 32 bits}}
    %large = arith.constant dense<[1, 5000000000, 2]> : tensor<3xi64>
    %0 = arith.addi %x, %large : tensor<3xi64>
    return %0 : tensor<3xi64>
  }
}

// -----

module attributes {sparse_pattern.target = "vulkan"} {
  func.func @complex() -> tensor<2xcomplex<f32>> {
    // expected-error @below {{computes a tensor of 2 complex<f32>, which shaders of target 'vulkan' cannot store: use a target that can (host)}}
    %0 = arith.constant dense<(1.0, 2.0)> : tensor<2xcomplex<f32>>
    return %0 : tensor<2xcomplex<f32>>
  }
}

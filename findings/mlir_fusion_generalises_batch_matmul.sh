#!/usr/bin/env bash
# MLIR's pass `linalg-fuse-elementwise-ops`, as torch-mlir's package has it.
# One would guess: it fuses elementwise ops with one another, and a named `linalg.batch_matmul` stays.
# True: beside a `tensor.collapse_shape` the product is first made a `linalg.generic`, and then the
# elementwise op before it is fused into its operand. A compiler that knows products by their name
# no longer sees one, and the elementwise op is computed once for each use of its result.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch-mlir==20261001 numpy
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

TEXT = """
#same = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @f(%a: tensor<2x8x8xf32>, %s: tensor<2x8xf32>, %b: tensor<1x2x8x8xf32>) -> tensor<2x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x8x8xf32>
  %d = linalg.generic {indexing_maps = [#same, #row, #same], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a, %s : tensor<2x8x8xf32>, tensor<2x8xf32>) outs(%empty : tensor<2x8x8xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %q = arith.divf %x, %y : f32
    linalg.yield %q : f32
  } -> tensor<2x8x8xf32>
  %v = tensor.collapse_shape %b [[0, 1], [2], [3]] : tensor<1x2x8x8xf32> into tensor<2x8x8xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %r = linalg.batch_matmul ins(%d, %v : tensor<2x8x8xf32>, tensor<2x8x8xf32>)
      outs(%fill : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  return %r : tensor<2x8x8xf32>
}
"""
print("torch-mlir", version("torch-mlir"))
with ir.Context():
    module = ir.Module.parse(TEXT)
    PassManager.parse("builtin.module(func.func(linalg-fuse-elementwise-ops))").run(module.operation)
    after = str(module)
print("products by name: 1 before,", after.count("linalg.batch_matmul"), "after")
body = after[after.index("arith.divf") :]
print("division and multiplication are in one body:", "arith.mulf" in body.split("linalg.yield")[0])
assert "linalg.batch_matmul" not in after
PY

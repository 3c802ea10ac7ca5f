#!/usr/bin/env bash
# IREE compiles `math.sin` and `math.cos` for CPUs.
# One would guess: a cosine is between -1 and 1, and right to a few units in the last place for every
# f32, as in the C library.
# True: from about 1000 on digits are lost (rotary embeddings meet that at long contexts), and at 1e10
# the "cosine" is about -1e20.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from iree import compiler, runtime

CODE = """
#same = affine_map<(d0) -> (d0)>
func.func @cosine(%x: tensor<5xf32>) -> tensor<5xf32> {
  %empty = tensor.empty() : tensor<5xf32>
  %result = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel"]}
      ins(%x : tensor<5xf32>) outs(%empty : tensor<5xf32>) {
  ^bb0(%a: f32, %b: f32):
    %p = math.cos %a : f32
    linalg.yield %p : f32
  } -> tensor<5xf32>
  return %result : tensor<5xf32>
}
"""
module = compiler.compile_str(CODE, target_backends=["llvm-cpu"], extra_args=["--iree-llvmcpu-target-cpu=host"])
print("iree-base-compiler", version("iree-base-compiler"))
x = np.array([1, 1e3, 1e5, 1e8, 1e10], "f4")
came = runtime.load_vm_flatbuffer(module, driver="local-sync").cosine(x).to_host()
expected = np.cos(x.astype("f8"))
for row in zip(x, expected, came):
    print("cos(%g): expected %.7f, came %.7g" % row)
error = np.abs(came - expected)
assert error[0] < 1e-6 < error[1]
assert abs(came[4]) > 1e19
PY

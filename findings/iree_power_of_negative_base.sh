#!/usr/bin/env bash
# IREE compiles `math.powf` for CPUs.
# One would guess: (-2) ** 3 is -8 whether the exponent is a constant or comes at run time, as in C.
# True: with an exponent that comes at run time every negative base gives NaN, and so does 0 ** 0;
# a negative constant base gives 0 for every exponent. A constant exponent of 3 is right.
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
func.func @power(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %empty = tensor.empty() : tensor<4xf32>
  %result = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    CONSTANT
    %p = math.powf BASE, EXPONENT : f32
    linalg.yield %p : f32
  } -> tensor<4xf32>
  return %result : tensor<4xf32>
}
"""


def power(x, y, constant="", base="%a", exponent="%b"):
    text = CODE.replace("CONSTANT", constant).replace("BASE", base).replace("EXPONENT", exponent)
    module = compiler.compile_str(text, target_backends=["llvm-cpu"], extra_args=["--iree-llvmcpu-target-cpu=host"])
    return runtime.load_vm_flatbuffer(module, driver="local-sync").power(x, y).to_host()


print("iree-base-compiler", version("iree-base-compiler"))
x, y = np.array([-2, 0, -2, 3], "f4"), np.array([3, 0, 2, 2], "f4")
at_run_time = power(x, y)
constant_base = power(x, y, "%k = arith.constant -2.0 : f32", base="%k")
constant_exponent = power(x, y, "%k = arith.constant 3.0 : f32", exponent="%k")
print("expected            ", np.power(x, y), "came", at_run_time)
print("base is always -2:   expected", np.power(np.float32(-2), y), "came", constant_base)
print("exponent is always 3: expected", np.power(x, np.float32(3)), "came", constant_exponent)
assert np.isnan(at_run_time[:3]).all() and abs(at_run_time[3] - 9) < 1e-4
assert not np.allclose(constant_base, np.power(np.float32(-2), y))
assert np.array_equal(constant_exponent, np.power(x, np.float32(3)))
PY

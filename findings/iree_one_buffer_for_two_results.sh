#!/usr/bin/env bash
# IREE runs a function that returns one value twice, as a recurrent network does whose output is also
# its next state.
# One would guess: each result has memory of its own, as the results of different values have.
# True: both results are one buffer. Read as arrays without a copy, what is written into one of them
# is in the other.
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
func.func @step(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
  %y = math.tanh %x : tensor<64xf32>
  return %y, %y : tensor<64xf32>, tensor<64xf32>
}
"""
print("iree-base-runtime", version("iree-base-runtime"))
flags = ["--iree-llvmcpu-target-cpu=host"]
code = compiler.compile_str(CODE, target_backends=["llvm-cpu"], extra_args=flags)
config = runtime.Config("local-sync")
context = runtime.SystemContext(config=config)
context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, code))
output, state = context.modules.module.step(np.ones(64, "f4"))
first, second = np.asarray(output), np.asarray(state)
print("output", first[:2], "state", second[:2], "one memory:", np.shares_memory(first, second))
assert np.shares_memory(first, second)
PY

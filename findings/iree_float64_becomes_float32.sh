#!/usr/bin/env bash
# iree-compile of a function that takes and returns float64.
# One would guess: the compiled function has the types of its signature.
# True: without --iree-input-demote-f64-to-f32=false all float64 becomes float32, arguments and
# results too, so that callers have to pass and get another type than the text says.
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
func.func @third(%x: tensor<1xf64>) -> tensor<1xf64> {
  %c = arith.constant dense<3.0> : tensor<1xf64>
  %y = arith.divf %x, %c : tensor<1xf64>
  return %y : tensor<1xf64>
}
"""
print("iree-base-compiler", version("iree-base-compiler"))


def result(flags, kind):
    arguments = ["--iree-llvmcpu-target-cpu=host", *flags]
    code = compiler.compile_str(CODE, target_backends=["llvm-cpu"], extra_args=arguments)
    context = runtime.SystemContext(config=runtime.Config("local-sync"))
    context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, code))
    return context.modules.module.third(np.ones(1, kind)).to_host()


plain = result([], "f4")
print("as it is:              ", plain.dtype, plain, "expected float64 [0.33333333]")
kept = result(["--iree-input-demote-f64-to-f32=false"], "f8")
print("with demotion switched off:", kept.dtype, kept)
assert plain.dtype == np.float32
assert kept.dtype == np.float64
PY

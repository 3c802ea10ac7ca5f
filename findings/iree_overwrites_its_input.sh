#!/usr/bin/env bash
# IREE runs a function that writes into a part of its argument: `tensor.insert_slice %y into %x`.
# One would guess: tensors are values, so the caller's array stays as it is.
# True: where the array was handed over without a copy (`HalAllocator.import_host_allocation` of
# aligned memory, on the CPU), the function works in place, and the caller's array is changed.
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
func.func @insert(%x: tensor<64xf32>, %y: tensor<2xf32>) -> tensor<64xf32> {
  %z = tensor.insert_slice %y into %x[0] [2] [1] : tensor<2xf32> into tensor<64xf32>
  return %z : tensor<64xf32>
}
"""
print("iree-base-runtime", version("iree-base-runtime"))
flags = ["--iree-llvmcpu-target-cpu=host"]
code = compiler.compile_str(CODE, target_backends=["llvm-cpu"], extra_args=flags)
config = runtime.Config("local-sync")
context = runtime.SystemContext(config=config)
context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, code))
memory = np.zeros(64 + 16, "f4")
first = -memory.ctypes.data % 64 // 4  # runtimes import memory that is aligned
x = memory[first : first + 64]
buffer = config.device.allocator.import_host_allocation(
    x,
    runtime.MemoryType.DEVICE_LOCAL | runtime.MemoryType.HOST_VISIBLE,
    runtime.BufferUsage.DEFAULT | runtime.BufferUsage.MAPPING,
)
view = runtime.HalBufferView(buffer, [64], runtime.HalElementType.FLOAT_32)
result = context.modules.module.insert(view, np.array([5, 6], "f4")).to_host()
print("result      ", result[:4])
print("x afterwards", x[:4], "expected [0. 0. 0. 0.]")
assert list(result[:3]) == [5, 6, 0]
assert list(x[:3]) == [5, 6, 0]
PY

#!/usr/bin/env bash
# IREE runs a Vulkan program on Mesa's software GPU (lavapipe) with one thread for shaders.
# One would guess: the CPU time of the process is that of the shaders, since the caller only waits.
# True: threads of IREE that wait for the GPU ask the driver in a loop and are busy all the while, so
# the process takes a multiple of what its shaders take. What code costs on lavapipe is the time of
# the thread that runs shaders, the one behind "llvmpipe-0", in /proc/self/task.
# Needs Mesa's Vulkan drivers (Debian's mesa-vulkan-drivers).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$folder/product.mlir" <<'MLIR'
func.func @main(%a: tensor<768x768xf32>, %b: tensor<768x768xf32>) -> tensor<768x768xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<768x768xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<768x768xf32>) -> tensor<768x768xf32>
  %result = linalg.matmul ins(%a, %b : tensor<768x768xf32>, tensor<768x768xf32>)
      outs(%zeros : tensor<768x768xf32>) -> tensor<768x768xf32>
  return %result : tensor<768x768xf32>
}
MLIR
"$folder/venv/bin/iree-compile" "$folder/product.mlir" -o "$folder/product.vmfb" \
  --iree-hal-target-device=vulkan
LP_NUM_THREADS=1 "$folder/venv/bin/python" - "$folder/product.vmfb" <<'PY'
import itertools
import os
import sys
from importlib.metadata import version
from pathlib import Path

import iree.runtime as rt
import numpy as np

TASKS = Path("/proc/self/task")
CALLS = 20


def thread_seconds():
    return {int(one.name): int((one / "schedstat").read_text().split()[0]) / 1e9
            for one in TASKS.iterdir()}


print("iree-base-runtime", version("iree-base-runtime"))
device = rt.get_driver("vulkan").create_default_device()
config = rt.Config(device=device)
program = rt.load_vm_module(
    rt.VmModule.copy_buffer(config.vm_instance, Path(sys.argv[1]).read_bytes()), config
)
values = np.ones((768, 768), np.float32)
given = rt.asdevicearray(device, values)


def call():
    """The result, copied to the host: it waits until the GPU is done."""
    result = program.main(given, given)
    buffer = result._buffer_view.get_buffer()
    memory = int(rt.MemoryType.HOST_VISIBLE | rt.MemoryType.HOST_COHERENT)
    usage = int(rt.BufferUsage.TRANSFER_TARGET | rt.BufferUsage.MAPPING)
    copied = device.allocator.allocate_buffer(
        memory_type=memory, allowed_usage=usage, allocation_size=buffer.byte_length()
    )
    semaphore = device.create_semaphore(0)
    begin, end = (rt.HalFence.create_at(semaphore, value) for value in (0, 1))
    device.queue_copy(buffer, copied, wait_semaphores=begin, signal_semaphores=end)
    end.wait()
    return np.array(copied.map().asarray(values.shape, values.dtype))


assert (call() == 768).all()  # makes shaders ready
before = thread_seconds()
for _ in range(CALLS):
    call()
after = thread_seconds()
spent = {thread: after[thread] - before.get(thread, 0) for thread in after}
(draws,) = (one for one in spent if (TASKS / str(one) / "comm").read_text().strip() == "llvmpipe-0")
shaders = next(other for one, other in itertools.pairwise(sorted(spent)) if one == draws)
others = {thread: seconds for thread, seconds in spent.items() if thread != shaders}
print(f"shaders' thread {spent[shaders] / CALLS * 1e3:.0f} ms a call, others by size:",
      *(f"{seconds / CALLS * 1e3:.0f}" for seconds in sorted(others.values(), reverse=True)[:4]),
      f"on {len(os.sched_getaffinity(0))} cores")
assert sum(others.values()) > 0.5 * spent[shaders]
PY

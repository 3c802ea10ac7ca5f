#!/usr/bin/env bash
# A program of IREE's runs on Mesa's software GPU (lavapipe), from Python.
# One would guess: `to_host()` of what it returns, or `numpy.asarray`, gives the numbers, as on CPUs.
# True: IREE asks the driver to take NumPy's memory as a buffer of the GPU, and lavapipe takes memory
# only from where a page begins, where NumPy's does not. Both raise ValueError; nothing falls back to
# a copy. A buffer that the device can map, filled by `queue_copy`, has the right numbers.
# Needs Mesa's Vulkan drivers (Debian's mesa-vulkan-drivers).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$folder/double.mlir" <<'MLIR'
func.func @main(%a: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %sum = arith.addf %a, %a : tensor<4x5xf32>
  return %sum : tensor<4x5xf32>
}
MLIR
"$folder/venv/bin/iree-compile" "$folder/double.mlir" -o "$folder/double.vmfb" \
  --iree-hal-target-device=vulkan
"$folder/venv/bin/python" - "$folder/double.vmfb" <<'PY'
import sys
from importlib.metadata import version
from pathlib import Path

import iree.runtime as rt
import numpy as np

print("iree-base-runtime", version("iree-base-runtime"))
device = rt.get_driver("vulkan").create_default_device()
config = rt.Config(device=device)
program = rt.load_vm_module(
    rt.VmModule.copy_buffer(config.vm_instance, Path(sys.argv[1]).read_bytes()), config
)
result = program.main(rt.asdevicearray(device, np.ones((4, 5), np.float32)))
for name, read in (("to_host", lambda: result.to_host()), ("asarray", lambda: np.asarray(result))):
    try:
        read()
    except ValueError as error:
        print(f"{name}: ValueError: ...{str(error)[-95:]}")
        assert "minImportedHostPointerAlignment" in str(error)
    else:
        raise AssertionError(f"{name} gave numbers")

buffer = result._buffer_view.get_buffer()
copied = device.allocator.allocate_buffer(
    memory_type=int(rt.MemoryType.HOST_VISIBLE | rt.MemoryType.HOST_COHERENT),
    allowed_usage=int(rt.BufferUsage.TRANSFER_TARGET | rt.BufferUsage.MAPPING),
    allocation_size=buffer.byte_length(),
)
semaphore = device.create_semaphore(0)
begin, end = (rt.HalFence.create_at(semaphore, value) for value in (0, 1))
device.queue_copy(buffer, copied, wait_semaphores=begin, signal_semaphores=end)
end.wait()
numbers = np.array(copied.map().asarray((4, 5), np.dtype(np.float32)))
print("copied and mapped:", np.unique(numbers))
assert (numbers == 2).all()
PY

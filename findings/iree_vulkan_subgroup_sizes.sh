#!/usr/bin/env bash
# Sums of rows, compiled for a Mali GPU, whose subgroups have 16 threads, and run on a Vulkan device
# whose subgroups have fewer: Mesa's software GPU has 4 or 8.
# One would guess: IREE refuses the module when it is loaded, as its compiler counted on 16 and its
# runtime can tell how many the device has.
# True: it is loaded and run, and sums are wrong, without a word. Compiled for Android's baseline, for
# which IREE knows no size of subgroups, the same code is right.
# Needs Mesa's Vulkan drivers (Debian's mesa-vulkan-drivers).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$folder/sums.mlir" <<'MLIR'
func.func @main(%x: tensor<3x64xf32>) -> tensor<3xf32> {
  %zero = arith.constant 0.0 : f32
  %room = tensor.empty() : tensor<3xf32>
  %start = linalg.fill ins(%zero : f32) outs(%room : tensor<3xf32>) -> tensor<3xf32>
  %sums = linalg.reduce ins(%x : tensor<3x64xf32>) outs(%start : tensor<3xf32>) dimensions = [1]
    (%one: f32, %sum: f32) {
      %both = arith.addf %one, %sum : f32
      linalg.yield %both : f32
    }
  return %sums : tensor<3xf32>
}
MLIR
for target in valhall vp_android_baseline_2022; do
  "$folder/venv/bin/iree-compile" "$folder/sums.mlir" -o "$folder/$target.vmfb" \
    --iree-hal-target-device=vulkan --iree-vulkan-target=$target
done
"$folder/venv/bin/python" - "$folder" <<'PY'
import re
import sys
from importlib.metadata import version
from pathlib import Path

import iree.runtime as rt
import numpy as np

print("iree-base-runtime", version("iree-base-runtime"))
driver = rt.get_driver("vulkan")
told = driver.dump_device_info(driver.query_available_devices()[0]["device_id"])
size = int(re.search(r"subgroup: size=(\d+)", told)[1])
device = driver.create_default_device()
config = rt.Config(device=device)
x = np.random.default_rng(0).uniform(1, 2, (3, 64)).astype(np.float32)


def error(target):
    """The largest one of the sums."""
    program = rt.load_vm_module(
        rt.VmModule.copy_buffer(config.vm_instance, Path(sys.argv[1], f"{target}.vmfb").read_bytes()),
        config,
    )
    result = program.main(rt.asdevicearray(device, x))
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
    found = np.array(copied.map().asarray((3,), np.dtype(np.float32)))
    print(f"{target}: {found}, of {x.sum(1)}")
    return float(abs(found - x.sum(1)).max())


print("threads of a subgroup:", size)
assert size < 16
wrong, right = error("valhall"), error("vp_android_baseline_2022")
assert not wrong < 1
assert right < 1e-3
PY

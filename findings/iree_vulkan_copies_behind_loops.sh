#!/usr/bin/env bash
# A network of a loop, and copies of what it ends with and began with into one tensor, on Vulkan.
# One would guess: each call gives what its inputs say.
# True: with iree-compile's defaults for Vulkan the first call is right, and from the second one on
# copies are of other tensors, silently. IREE keeps the recorded copies and fills in their buffers at
# each call. Recorded anew (--iree-hal-memoization=false) they are right, as on CPUs, and so they are
# where there is no loop before them.
# Needs Mesa's Vulkan drivers (Debian's mesa-vulkan-drivers).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$folder/loop.mlir" <<'MLIR'
#map = affine_map<(i, j) -> (i, j)>
func.func @main(%x: tensor<2x24xf32>, %h: tensor<2x24xf32>) -> tensor<4x24xf32> {
  %first = arith.constant 0 : index
  %step = arith.constant 1 : index
  %turns = arith.constant 3 : index
  %empty = tensor.empty() : tensor<2x24xf32>
  %end = scf.for %i = %first to %turns step %step iter_args(%a = %h) -> (tensor<2x24xf32>) {
    %next = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]}
        ins(%a, %x : tensor<2x24xf32>, tensor<2x24xf32>) outs(%empty : tensor<2x24xf32>) {
      ^bb0(%p: f32, %q: f32, %o: f32):
        %sum = arith.addf %p, %q : f32
        linalg.yield %sum : f32
    } -> tensor<2x24xf32>
    scf.yield %next : tensor<2x24xf32>
  }
  %whole = tensor.empty() : tensor<4x24xf32>
  %upper = tensor.insert_slice %end into %whole[0, 0] [2, 24] [1, 1] : tensor<2x24xf32> into tensor<4x24xf32>
  %both = tensor.insert_slice %h into %upper[2, 0] [2, 24] [1, 1] : tensor<2x24xf32> into tensor<4x24xf32>
  return %both : tensor<4x24xf32>
}
MLIR
"$folder/venv/bin/iree-compile" "$folder/loop.mlir" -o "$folder/kept.vmfb" \
  --iree-hal-target-device=vulkan
"$folder/venv/bin/iree-compile" "$folder/loop.mlir" -o "$folder/anew.vmfb" \
  --iree-hal-target-device=vulkan --iree-hal-memoization=false
"$folder/venv/bin/python" - "$folder/kept.vmfb" "$folder/anew.vmfb" <<'PY'
import sys
from importlib.metadata import version
from pathlib import Path

import iree.runtime as rt
import numpy as np

CALLS, TURNS, SHAPE = 4, 3, (4, 24)
print("iree-base-runtime", version("iree-base-runtime"))
device = rt.get_driver("vulkan").create_default_device()
config = rt.Config(device=device)


def called(program, *inputs):
    """The result: copied to a buffer that the host can map."""
    result = program.main(*(rt.asdevicearray(device, one) for one in inputs))
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
    return np.array(copied.map().asarray(SHAPE, np.dtype(np.float32)))


def errors(file):
    """Of both halves of the result, in each call."""
    program = rt.load_vm_module(
        rt.VmModule.copy_buffer(config.vm_instance, Path(file).read_bytes()), config
    )
    rng, found = np.random.default_rng(0), []
    for _ in range(CALLS):
        x, h = rng.standard_normal((2, 2, 24)).astype(np.float32)
        off = abs(called(program, x, h) - np.concatenate([h + TURNS * x, h]))
        found.append((float(off[:2].max()), float(off[2:].max())))
    return found


kept, anew = map(errors, sys.argv[1:])
for name, found in (("kept", kept), ("recorded anew", anew)):
    print(f"{name}: largest error of each half, call by call:",
          *(f"{end:.1g} {begin:.1g}," for end, begin in found))
assert max(kept[0]) < 1e-5
assert any(max(both) > 0.1 for both in kept[1:])
assert all(max(both) < 1e-5 for both in anew)
PY

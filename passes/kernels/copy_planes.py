"""Copy an activation into a range of channels of a wider one that has the same layout.

    workgroup x: channel, z: image
    copy one plane with the zeros around it, vector by vector

The result begins a lead before the first of these channels.
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, Planar

from .accesses import load, store
from .control import for_range
from .library import Kernel, Workgroup
from .operands import Memory


def copy_planes_kernel(layout: Planar, shape: list[int], channels: int, lanes: int) -> Kernel:
    """Kernel for a source of `shape` and a result that has `channels` channels in all."""
    images, copied, *_ = shape

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        read, written = memory.input, memory.result
        channel, _, image = workgroup
        begin = (image * copied + channel) * layout.plane + layout.lead
        end = (image * channels + channel) * layout.plane + layout.lead
        with for_range(0, layout.plane // lanes) as i:
            store(load(read, begin + i * lanes, lanes), written, end + i * lanes)

    key = (layout, copied, channels, lanes)
    return Kernel("copy_planes", key, (copied, 1, images), emit, layout, layout)

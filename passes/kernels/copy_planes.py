"""Copy an activation into a range of channels of a wider one that has the same layout.

    workgroup x: channel, z: image
    copy one plane with the zeros around it, vector by vector

The result begins at the first of these channels, or, for the very first one, at the zeros before
it.
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .builder import Index, for_range, load, store
from .library import Kernel
from .rows import zero_lead


def copy_planes_kernel(
    source: Planar, target: Planar, shape: list[int], channels: int, lanes: int
) -> Kernel:
    """Kernel for a source of `shape` and a result that has `channels` channels in all.

    `target` is as `source`, but need not have a lead.
    """
    images, copied, *_ = shape

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        read, written = buffers
        channel, _, image = workgroup
        zero_lead(written, target, workgroup, lanes)
        begin = (image * copied + channel) * source.plane + source.lead
        end = (image * channels + channel) * target.plane + target.lead
        with for_range(0, source.plane // lanes) as i:
            store(load(read, begin + i * lanes, lanes), written, end + i * lanes)

    key = (source, target, copied, channels, lanes)
    return Kernel("copy_planes", key, (copied, 1, images), emit)

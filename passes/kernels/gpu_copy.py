"""Convert an activation on a GPU: pixel of the result -> pixel of the source; zero without one."""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, Planar

from .accesses import load
from .control import choose
from .gpu_planes import fill_planes, first_of_plane, plane_tiles
from .indices import Index, all_of, below
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import plain_layout
from .vectors import zero


def gpu_copy_kernel(
    source: Planar | None, result: Planar | None, shape: list[int], threads: int
) -> Kernel:
    """Kernel that converts an activation of `shape`; a layout of None is plain row-major.

    The source must not be split into phases.
    """
    images, channels, *spatial = shape
    source = source or plain_layout(spatial)
    result = result or plain_layout(spatial)

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        first = first_of_plane(source, channels, workgroup)

        def pixel(places: list[Index], inside: ir.Value) -> ir.Value:
            at, present = first, [inside]
            for place, size, pitch in zip(places, source.sizes, source.pitches, strict=True):
                present.append(below(place, size))
                at = at + place * pitch
            kind = ir.MemRefType(memory.input.type).element_type
            return choose(all_of(present), kind, lambda: load(memory.input, at), lambda: zero(kind))

        fill_planes(memory.result, result, channels, threads, workgroup, pixel)

    key, workgroups = (source, result, threads), (channels, plane_tiles(result, threads), images)
    return Kernel("copy_rows", key, workgroups, emit, source, result)

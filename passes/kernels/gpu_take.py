"""Rows and columns taken by number on a GPU: pixel of the result -> positions[pixel] of the source.

Zero where there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch_mlir.ir as ir

from niwaki.dialects import Planar, Positions

from .accesses import load, load_index
from .control import choose
from .gpu_planes import fill_planes, first_of_plane, plane_tiles
from .indices import Index, all_of, below
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import plain_layout
from .vectors import zero


def gpu_take_kernel(
    source: Planar | None,
    result: Planar | None,
    shape: Sequence[int],
    positions: Sequence[Sequence[int]],
    threads: int,
) -> Kernel:
    """Kernel for an input of `shape`; a layout of None is plain row-major.

    It reads the positions of all dimensions, one behind the other.
    """
    images, channels, *spatial = shape
    sizes = [len(numbers) for numbers in positions]
    source = source or plain_layout(spatial)
    result = result or plain_layout(sizes)
    firsts = [0, *itertools.accumulate(sizes)]

    def emit(memory: Memory[Positions[ir.Value]], workgroup: Workgroup) -> None:
        first_pixel = first_of_plane(source, channels, workgroup)

        def pixel(places: list[Index], inside: ir.Value) -> ir.Value:
            counted = zip(places, sizes, strict=True)
            present = [inside, *(below(place, size) for place, size in counted)]

            def taken() -> ir.Value:
                at = first_pixel
                for place, first, pitch in zip(places, firsts, source.pitches, strict=False):
                    at = at + load_index(memory.arrays.positions, place + first) * pitch
                return load(memory.input, at)

            kind = ir.MemRefType(memory.input.type).element_type
            return choose(all_of(present), kind, taken, lambda: zero(kind))

        fill_planes(memory.result, result, channels, threads, workgroup, pixel)

    key = (source, result, tuple(map(tuple, positions)), threads)
    workgroups = (channels, plane_tiles(result, threads), images)
    return Kernel("take_rows", key, workgroups, emit, source, result)

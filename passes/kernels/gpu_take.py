"""Rows and columns taken by number on a GPU: each thread writes one element of each phase plane.

workgroup x: channel, y: tile of the result's plane, z: image
position of the plane -> pixel of the phase -> positions[pixel]; zero where there is none
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch_mlir.ir as ir

from niwaki.dialects import Planar, Positions

from .builder import Index, all_of, below, choose, load, load_index, store, when, zero
from .copy_rows import phase_shifts
from .gpu_threads import coordinates, thread
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import plain_layout


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
    tiles = -(-result.plane // threads)

    def emit(memory: Memory[Positions[ir.Value]], workgroup: Workgroup) -> None:
        channel, tile, image = workgroup
        plane = image * channels + channel
        from_plane = plane * source.plane + source.lead
        to_plane = plane * (len(result.phases) * result.plane) + result.lead
        position = tile * threads + thread()
        indices, inside = coordinates(result, position)
        with when(below(position, result.plane)):
            for number, phase in enumerate(result.phases):
                shifts = phase_shifts(phase, result.strides)
                axes = zip(indices, shifts, result.strides, strict=True)
                places = [index * stride + shift for index, shift, stride in axes]
                value = _pixel(memory, from_plane, source, sizes, places, inside)
                store(value, memory.result, to_plane + number * result.plane + position)

    key = (source, result, tuple(map(tuple, positions)), threads)
    return Kernel("take_rows", key, (channels, tiles, images), emit, source, result)


def _pixel(
    memory: Memory[Positions[ir.Value]],
    from_plane: Index,
    source: Planar,
    sizes: Sequence[int],
    places: Sequence[Index],
    inside: ir.Value,
) -> ir.Value:
    """What belongs at a place of the result; zero where there is none and in halo."""
    firsts = [0, *itertools.accumulate(sizes)]
    present = [inside, *(below(place, size) for place, size in zip(places, sizes, strict=True))]

    def taken() -> ir.Value:
        at = from_plane
        for place, first, pitch in zip(places, firsts, source.pitches, strict=False):
            at = at + load_index(memory.arrays.positions, place + first) * pitch
        return load(memory.input, at)

    kind = ir.MemRefType(memory.input.type).element_type
    return choose(all_of(present), kind, taken, lambda: zero(kind))

"""Convert an activation on a GPU: each thread writes one element of each phase plane.

workgroup x: channel, y: tile of the result's plane, z: image
position of the plane -> pixel of the phase -> pixel of the source; zero where there is none
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, Planar

from .builder import Index, all_of, below, choose, load, store, when, zero
from .copy_rows import phase_shifts
from .gpu_threads import coordinates, thread
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import plain_layout


def gpu_copy_kernel(
    source: Planar | None, result: Planar | None, shape: list[int], threads: int
) -> Kernel:
    """Kernel that converts an activation of `shape`; a layout of None is plain row-major.

    The source must not be split into phases.
    """
    images, channels, *spatial = shape
    source = source or plain_layout(spatial)
    result = result or plain_layout(spatial)
    tiles = -(-result.plane // threads)

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        read, written = memory.input, memory.result
        channel, tile, image = workgroup
        plane = image * channels + channel
        from_plane = plane * source.plane + source.lead
        to_plane = plane * (len(result.phases) * result.plane) + result.lead
        position = tile * threads + thread()
        indices, inside = coordinates(result, position)
        with when(below(position, result.plane)):
            for number, phase in enumerate(result.phases):
                value = _pixel(read, from_plane, source, result, phase, indices, inside)
                store(value, written, to_plane + number * result.plane + position)

    key, workgroups = (source, result, threads), (channels, tiles, images)
    return Kernel("copy_rows", key, workgroups, emit, source, result)


def _pixel(
    read: ir.Value,
    from_plane: Index,
    source: Planar,
    result: Planar,
    phase: int,
    indices: list[Index],
    inside: ir.Value,
) -> ir.Value:
    """The pixel that belongs at a place of a phase plane; zero where there is none and in halo."""
    at, present = from_plane, [inside]
    axes = zip(
        indices,
        phase_shifts(phase, result.strides),
        result.strides,
        source.sizes,
        source.pitches,
        strict=True,
    )
    for index, shift, stride, size, pitch in axes:
        place = index * stride + shift
        present.append(below(place, size))
        at = at + place * pitch
    kind = ir.MemRefType(read.type).element_type
    return choose(all_of(present), kind, lambda: load(read, at), lambda: zero(kind))

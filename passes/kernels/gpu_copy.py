"""Convert an activation on a GPU: each thread writes one element of each phase plane.

workgroup x: channel, y: tile of the result's plane, z: image
position of the plane -> pixel of the phase -> pixel of the source; zero where there is none
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .builder import Index, all_of, below, choose, float_constant, load, store, when
from .copy_rows import phase_shifts
from .gpu_threads import coordinates, thread
from .library import Kernel
from .rows import plain_layout


def gpu_copy_kernel(
    source: Planar | None, target: Planar | None, shape: list[int], threads: int
) -> Kernel:
    """Kernel that converts an activation of `shape`; a layout of None is plain row-major.

    The source must not be split into phases.
    """
    images, channels, *spatial = shape
    source = source or plain_layout(spatial)
    target = target or plain_layout(spatial)
    tiles = -(-target.plane // threads)

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        read, written = buffers
        channel, tile, image = workgroup
        plane = image * channels + channel
        from_plane = plane * source.plane + source.lead
        to_plane = plane * (len(target.phases) * target.plane) + target.lead
        position = tile * threads + thread()
        indices, inside = coordinates(target, position)
        with when(below(position, target.plane)):
            for number, phase in enumerate(target.phases):
                value = _pixel(read, from_plane, source, target, phase, indices, inside)
                store(value, written, to_plane + number * target.plane + position)

    key, workgroups = (source, target, threads), (channels, tiles, images)
    return Kernel("copy_rows", key, workgroups, (source, target), emit)


def _pixel(
    read: ir.Value,
    from_plane: Index,
    source: Planar,
    target: Planar,
    phase: int,
    indices: list[Index],
    inside: ir.Value,
) -> ir.Value:
    """The pixel that belongs at a place of a phase plane; zero where there is none and in halo."""
    at, present = from_plane, [inside]
    axes = zip(
        indices,
        phase_shifts(phase, target.strides),
        target.strides,
        source.sizes,
        source.pitches,
        strict=True,
    )
    for index, shift, stride, size, pitch in axes:
        place = index * stride + shift
        present.append(below(place, size))
        at = at + place * pitch
    return choose(all_of(present), lambda: load(read, at), lambda: float_constant(0.0))

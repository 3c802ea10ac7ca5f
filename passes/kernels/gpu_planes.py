"""What fills planes on a GPU: each thread writes one element of each phase plane.

workgroup x: channel, y: tile of the result's plane, z: image
position of the plane -> pixel of the phase -> whatever belongs there
"""

from __future__ import annotations

from collections.abc import Callable

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .accesses import store
from .control import when
from .copy_rows import phase_shifts
from .gpu_threads import coordinates, thread
from .indices import Index, below
from .library import Workgroup

# Gets a pixel of the whole plane and whether it is in the phase; gives the element.
Pixel = Callable[[list[Index], ir.Value], ir.Value]


def plane_tiles(result: Planar, threads: int) -> int:
    """Workgroups for a plane."""
    return -(-result.plane // threads)


def first_of_plane(source: Planar, channels: int, workgroup: Workgroup) -> Index:
    """Where the plane begins that a workgroup reads."""
    channel, _, image = workgroup
    return (image * channels + channel) * source.plane + source.lead


def fill_planes(
    written: ir.Value,
    result: Planar,
    channels: int,
    threads: int,
    workgroup: Workgroup,
    pixel: Pixel,
) -> None:
    """Store a `pixel` at each place of `result`, of a workgroup."""
    channel, tile, image = workgroup
    plane = image * channels + channel
    to_plane = plane * (len(result.phases) * result.plane) + result.lead
    position = tile * threads + thread()
    indices, inside = coordinates(result, position)
    with when(below(position, result.plane)):
        for number, phase in enumerate(result.phases):
            shifts = phase_shifts(phase, result.strides)
            axes = zip(indices, shifts, result.strides, strict=True)
            places = [index * stride + shift for index, shift, stride in axes]
            at = to_plane + number * result.plane + position
            store(pixel(places, inside), written, at)

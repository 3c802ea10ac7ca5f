"""Strided depthwise convolution, row by row of the result: no phase planes are made for it.

    workgroup x: group of channels, z: image
    for each row of the result, for each vector of its pixels:
      acc = sum over taps of w[tap] * every s-th value of the input from the tap on

With one filter a channel, splitting an input into phases costs more than the convolution itself.
Values for taps a multiple of the stride apart are cut from the same loads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .builder import (
    Index,
    float_constant,
    fma,
    for_range,
    load,
    load_strided,
    minimum,
    splat,
    store,
)
from .epilogue import inline_epilogue
from .library import Kernel, epilogue_key, layer_layouts
from .rows import overlapping, write_plane
from .sliding import Slices, by_remainder, near_taps

# Vectors computed together. Beside their sums, registers hold 9 weights and the vectors of a row.
VECTORS = 4


@dataclass(frozen=True)
class DepthwiseRows:
    """A strided depthwise convolution as this kernel sees it.

    Attributes:
        source, target: layouts of input and result; the input is not split into phases.
        images, channels: sizes of the activations.
        strides: of the window.
        distances: for each tap how far from the window's first pixel without padding.
        group: channels of a workgroup.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    strides: tuple[int, ...]
    distances: tuple[int, ...]
    group: int
    per_filter: int
    per_position: int
    lanes: int


def depthwise_rows_kernel(conv: DepthwiseRows, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values (channels x taps), per filter, per position."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        x, _, image = workgroup
        begin = x * conv.group
        with for_range(begin, minimum(begin + conv.group, conv.channels)) as channel:
            _channel(conv, epilogue, buffers, channel, image)

    workgroups = (-(-conv.channels // conv.group), 1, conv.images)
    key, layouts = (conv, epilogue_key(epilogue)), layer_layouts(conv, 1)
    return Kernel("depthwise_rows", key, workgroups, layouts, emit)


def _channel(
    conv: DepthwiseRows, epilogue: ir.Block, buffers: list[ir.Value], channel: Index, image: Index
) -> None:
    """One plane of the result."""
    source, values, *extras, result = buffers
    taps, stride = len(conv.distances), conv.strides[-1]
    plane = image * conv.channels + channel
    read = plane * conv.source.plane + conv.source.lead
    weights = [load(values, channel * taps + tap) for tap in range(taps)]
    per_filter = [load(buffer, channel) for buffer in extras[: conv.per_filter]]

    def take(begin: Index, width: int) -> Callable[[int], ir.Value]:
        return lambda position: load_strided(source, begin + position * stride, stride, width)

    def pixels(first: Index, at: Index, starts: list[int], width: int) -> None:
        """Vectors of a row of the result; `first` begins the row's first window, `at` the row."""
        sums = [float_constant(0.0, width) for _ in starts]
        for taps in near_taps(conv.distances, conv.lanes, width):
            for same in by_remainder(taps, conv.distances, stride):
                base = conv.distances[same[0]]
                shifts = [(conv.distances[tap] - base) // stride for tap in same]
                slices = Slices(take(first + base, width), starts, shifts, width)
                for tap, shift in zip(same, shifts, strict=True):
                    weight = splat(weights[tap], width)
                    sums = [
                        fma(weight, slices.at(start + shift), total)
                        for start, total in zip(starts, sums, strict=True)
                    ]
        for start, total in zip(starts, sums, strict=True):
            arguments = [
                total,
                *(splat(value, width) for value in per_filter),
                *(load(buffer, at + start, width) for buffer in extras[conv.per_filter :]),
            ]
            store(inline_epilogue(epilogue, arguments, width), result, at + start)

    def row(indices: list[Index], at: Index) -> None:
        begin = read
        for index, step, pitch in zip(indices, conv.strides, conv.source.pitches, strict=False):
            begin = begin + index * (step * pitch)
        starts, width = overlapping(conv.target.sizes[-1], conv.lanes)
        for i in range(0, len(starts), VECTORS):
            pixels(begin, at, starts[i : i + VECTORS], width)

    write = plane * conv.target.plane + conv.target.lead
    write_plane(result, write, conv.target, conv.lanes, row)

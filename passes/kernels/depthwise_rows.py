"""Strided depthwise convolution, row by row of the result: no phase planes are made for it.

    workgroup x: group of channels, z: image
    for each row of the result, for each vector of its pixels:
      acc = sum over taps of w[tap] * every s-th value of the input from the tap on

With one filter a channel, splitting an input into phases costs more than the convolution itself.
Values for taps a multiple of the stride apart are cut from the same loads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import DepthwiseTile, Planar, Values

from .accesses import load, load_each, load_strided, store
from .control import for_range
from .epilogue import bias_of, finished, sum_type
from .indices import Index, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import overlapping, write_plane
from .sliding import EverySecond, Slices, by_remainder, near_taps
from .vectors import float_constant, fma, in_type, splat
from .window import MOST_TAPS, Taps, add_window, tap_weights, window_taps

# Vectors computed together. Beside their sums, registers hold 9 weights and the vectors of a row.
VECTORS = 4


@dataclass(frozen=True, kw_only=True)
class DepthwiseRows:
    """A strided depthwise convolution as this kernel sees it.

    Attributes:
        input, result: layouts; the input is not split into phases.
        images, channels: sizes of the activations.
        strides: of the window.
        distances: for each tap how far from the window's first pixel without padding.
        tile: its channels are those of a workgroup.
        lanes: f32 values of a vector.
        weight_lanes: weights that are loaded at once.
        shares_loads: whether vectors for near taps are cut from the same loads.
        lean: whether sums begin with the bias.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    strides: tuple[int, ...]
    distances: tuple[int, ...]
    tile: DepthwiseTile
    lanes: int
    weight_lanes: int
    shares_loads: bool
    lean: bool


def depthwise_rows_kernel(conv: DepthwiseRows, epilogue: ir.Block) -> Kernel:
    """Kernel with `Values`, channels x taps."""

    def emit(memory: Memory[Values[ir.Value]], workgroup: Workgroup) -> None:
        x, _, image = workgroup
        begin = x * conv.tile.channels
        with for_range(begin, minimum(begin + conv.tile.channels, conv.channels)) as channel:
            _channel(conv, epilogue, memory, channel, image)

    workgroups = (-(-conv.channels // conv.tile.channels), 1, conv.images)
    key = (conv, epilogue_key(epilogue))
    return Kernel("depthwise_rows", key, workgroups, emit, conv.input, conv.result)


def _channel(
    conv: DepthwiseRows,
    epilogue: ir.Block,
    memory: Memory[Values[ir.Value]],
    channel: Index,
    image: Index,
) -> None:
    """One plane of the result."""
    source, values = memory.input, memory.arrays.values
    taps, stride, kind = len(conv.distances), conv.strides[-1], sum_type(epilogue)
    plane = image * conv.channels + channel
    read = plane * conv.input.plane + conv.input.lead
    # Where vectors are put together from single values, a tap is much code.
    parts = window_taps(conv.distances, MOST_TAPS if stride <= 2 else MOST_TAPS // conv.lanes)

    def some(tap: Index, count: int) -> list[ir.Value]:
        return [*load_each(kind, values, channel * taps + tap, count, conv.weight_lanes)]

    weights_of = tap_weights(parts, some)
    per_filter = [load(buffer, channel) for buffer in memory.per_filter]
    bias = bias_of(epilogue, len(per_filter)) if conv.lean else None

    def pixels(first: Index, at: Index, starts: list[int], width: int) -> None:
        """Vectors of a row of the result; `first` begins the row's first window, `at` the row."""

        def add(part: Taps, tap: Index, moved: Index, sums: list[ir.Value]) -> list[ir.Value]:
            weights = weights_of(part, tap)
            for each, read_at in _reads(conv, source, part, first + moved, starts, width):
                weight = splat(weights[each], width)
                sums = [
                    fma(weight, in_type(kind, read_at(start)), total)
                    for start, total in zip(starts, sums, strict=True)
                ]
            return sums

        begun = float_constant(0.0, kind) if bias is None else per_filter[bias.number]
        sums = add_window(parts, [splat(begun, width) for _ in starts], add)
        for start, total in zip(starts, sums, strict=True):
            place = at + start
            extras = per_filter, memory.per_position
            value = finished(epilogue, total, *extras, place, width, bias)
            store(value, memory.result, place)

    def row(indices: list[Index], at: Index) -> None:
        begin = read
        for index, step, pitch in zip(indices, conv.strides, conv.input.pitches, strict=False):
            begin = begin + index * (step * pitch)
        starts, width = overlapping(conv.result.sizes[-1], conv.lanes)
        together = VECTORS * width
        whole = conv.result.sizes[-1] // together
        if whole > 1:
            with for_range(0, whole) as number:
                pixel = number * together
                pixels(begin + pixel * stride, at + pixel, starts[:VECTORS], width)
        for i in range(whole * VECTORS if whole > 1 else 0, len(starts), VECTORS):
            pixels(begin, at, starts[i : i + VECTORS], width)

    write = plane * conv.result.plane + conv.result.lead
    write_plane(memory.result, write, conv.result, conv.lanes, row)


# Number of a tap, and what it reads for the pixels from a start on.
_Read = tuple[int, Callable[[int], ir.Value]]


def _reads(
    conv: DepthwiseRows, source: ir.Value, part: Taps, first: Index, starts: list[int], width: int
) -> Iterator[_Read]:
    """What taps read for pixels from `starts` on; `first` is where the window of pixel 0 begins."""
    pairs = conv.strides[-1] == 2 and width > 1 and not conv.shares_loads
    return (_paired if pairs else _sliced)(conv, source, part, first, starts, width)


def _paired(
    conv: DepthwiseRows, source: ir.Value, part: Taps, first: Index, starts: list[int], width: int
) -> Iterator[_Read]:
    """As `_reads`, every second element, where vectors are loaded for two taps."""

    def load_from(begin: Index) -> Callable[[int], ir.Value]:
        return lambda at: load(source, begin + at, width)

    for near in near_taps(part.distances, width):
        base = part.distances[near[0]]
        shifts = [part.distances[tap] - base for tap in near]
        seconds = EverySecond(load_from(first + base), starts, shifts, width)
        for tap, shift in zip(near, shifts, strict=True):
            yield tap, functools.partial(seconds.at, shift)


def _sliced(
    conv: DepthwiseRows, source: ir.Value, part: Taps, first: Index, starts: list[int], width: int
) -> Iterator[_Read]:
    """As `_reads`, where taps a multiple of the stride apart may be cut from the same vectors."""
    stride = conv.strides[-1]

    def load_from(begin: Index) -> Callable[[int], ir.Value]:
        return lambda at: load_strided(source, begin + at * stride, stride, width)

    for near in near_taps(part.distances, width if conv.shares_loads else 0):
        for same in by_remainder(near, part.distances, stride):
            base = part.distances[same[0]]
            shifts = [(part.distances[tap] - base) // stride for tap in same]
            slices = Slices(load_from(first + base), starts, shifts, width)
            for tap, shift in zip(same, shifts, strict=True):
                yield tap, functools.partial(_shifted, slices, shift)


def _shifted(slices: Slices, shift: int, start: int) -> ir.Value:
    return slices.at(start + shift)

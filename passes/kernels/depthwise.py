"""Depthwise convolution: one filter a channel, the taps' weights stay in registers if they are few.

for each channel:
  w[taps] = broadcast weights
  for each tile of pixels: acc = sum over taps of w[tap] * input[pixel + distance of the tap]

workgroup x: group of channels, z: image
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import DepthwiseTile, Planar, Values

from .accesses import load, load_as, load_each, load_mask, store, zero_fill
from .control import for_range
from .epilogue import finished, sum_type
from .indices import Index, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .sliding import Slices, near_taps
from .vectors import float_constant, fma, select_or_zero, splat
from .window import Taps, add_window, tap_weights, window_taps


@dataclass(frozen=True, kw_only=True)
class Depthwise:
    """A depthwise convolution as this kernel sees it.

    Attributes:
        input, result: layouts, with equal pitches.
        images, channels: sizes of the activations.
        places: for each tap the phase plane and the distance from the output pixel.
        tile: vectors of pixels that are computed together, and channels.
        lanes: f32 values of a vector.
        weight_lanes: weights that are loaded at once.
        shares_loads: whether vectors for near taps are cut from the same loads.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    places: tuple[tuple[int, int], ...]
    tile: DepthwiseTile
    lanes: int
    weight_lanes: int
    shares_loads: bool


def depthwise_kernel(conv: Depthwise, epilogue: ir.Block) -> Kernel:
    """Kernel with `Values`, channels x taps, and a mask."""

    def emit(memory: Memory[Values[ir.Value]], workgroup: Workgroup) -> None:
        x, _, image = workgroup
        begin = x * conv.tile.channels
        with for_range(begin, minimum(begin + conv.tile.channels, conv.channels)) as channel:
            _channel(conv, epilogue, memory, channel, image)

    workgroups = (-(-conv.channels // conv.tile.channels), 1, conv.images)
    key = (conv, epilogue_key(epilogue))
    return Kernel("depthwise", key, workgroups, emit, conv.input, conv.result, takes_memory=True)


def _channel(
    conv: Depthwise,
    epilogue: ir.Block,
    memory: Memory[Values[ir.Value]],
    channel: Index,
    image: Index,
) -> None:
    """One plane of the result."""
    source, values = memory.input, memory.arrays.values
    lanes, vectors, kind = conv.lanes, conv.tile.vectors, sum_type(epilogue)
    plane = image * conv.channels + channel
    read = plane * (len(conv.input.phases) * conv.input.plane) + conv.input.lead
    write = plane * conv.result.plane + conv.result.lead
    taps = len(conv.places)
    parts = window_taps([phase * conv.input.plane + distance for phase, distance in conv.places])

    def some(first: Index, count: int) -> list[ir.Value]:
        return [*load_each(kind, values, channel * taps + first, count, conv.weight_lanes)]

    weights_of = tap_weights(parts, some)
    per_filter = [load(buffer, channel) for buffer in memory.per_filter]

    def tile(pixel: Index, count: int) -> None:
        """`count` vectors of pixels."""
        starts = [i * lanes for i in range(count)]

        def add(part: Taps, first: Index, moved: Index, sums: list[ir.Value]) -> list[ir.Value]:
            begin, weights = read + pixel + moved, weights_of(part, first)
            for near in near_taps(part.distances, lanes if conv.shares_loads else 0):
                slices = Slices(
                    lambda position: load_as(kind, source, begin + position, lanes),
                    starts,
                    [part.distances[tap] for tap in near],
                    lanes,
                )
                for tap in near:
                    weight = splat(weights[tap], lanes)
                    for i, start in enumerate(starts):
                        taken = slices.at(start + part.distances[tap])
                        sums[i] = fma(weight, taken, sums[i])
            return sums

        accumulators = add_window(parts, [float_constant(0.0, kind, lanes) for _ in starts], add)
        for accumulator, start in zip(accumulators, starts, strict=True):
            at = write + pixel + start
            value = finished(epilogue, accumulator, per_filter, memory.per_position, at, lanes)
            mask = load_mask(memory.mask, pixel + start, lanes)
            store(select_or_zero(mask, value), memory.result, at)

    whole, rest = divmod(-(-conv.result.extent // lanes), vectors)
    if whole:
        with for_range(0, whole) as number:
            tile(number * (vectors * lanes), vectors)
    if rest:
        tile(Index(whole * vectors * lanes), rest)
    covered = (whole * vectors + rest) * lanes
    zero_fill(memory.result, write + covered, conv.result.plane - covered, lanes)

"""Depthwise convolution: one filter a channel, the taps' weights stay in registers.

for each channel:
  w[taps] = broadcast weights
  for each tile of pixels: acc = sum over taps of w[tap] * input[pixel + distance of the tap]

workgroup x: group of channels, z: image
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .builder import (
    Index,
    float_constant,
    fma,
    for_range,
    load,
    load_mask,
    minimum,
    select,
    splat,
    store,
    zero_fill,
)
from .epilogue import inline_epilogue
from .library import Kernel, epilogue_key, layer_layouts
from .sliding import Slices, near_taps


@dataclass(frozen=True)
class Depthwise:
    """A depthwise convolution as this kernel sees it.

    Attributes:
        source, target: layouts of input and result, with equal pitches.
        images, channels: sizes of the activations.
        places: for each tap the phase plane and the distance from the output pixel.
        vectors: vectors of pixels computed together.
        group: channels of a workgroup.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    places: tuple[tuple[int, int], ...]
    vectors: int
    group: int
    per_filter: int
    per_position: int
    lanes: int


def depthwise_kernel(conv: Depthwise, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values (channels x taps), per filter, mask, per position."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        x, _, image = workgroup
        begin = x * conv.group
        with for_range(begin, minimum(begin + conv.group, conv.channels)) as channel:
            _channel(conv, epilogue, buffers, channel, image)

    workgroups = (-(-conv.channels // conv.group), 1, conv.images)
    key = (conv, epilogue_key(epilogue))
    layouts = layer_layouts(conv, 2)
    return Kernel("depthwise", key, workgroups, layouts, emit, takes_memory=True)


def _channel(
    conv: Depthwise, epilogue: ir.Block, buffers: list[ir.Value], channel: Index, image: Index
) -> None:
    """One plane of the result."""
    source, values = buffers[:2]
    lanes = conv.lanes
    plane = image * conv.channels + channel
    read = plane * (len(conv.source.phases) * conv.source.plane) + conv.source.lead
    write = plane * conv.target.plane + conv.target.lead
    weights = [load(values, channel * len(conv.places) + tap) for tap in range(len(conv.places))]
    per_filter = [load(buffer, channel) for buffer in buffers[2 : 2 + conv.per_filter]]
    mask_buffer = buffers[2 + conv.per_filter]
    per_position = buffers[3 + conv.per_filter : 3 + conv.per_filter + conv.per_position]
    distances = [phase * conv.source.plane + distance for phase, distance in conv.places]

    def tile(pixel: Index, count: int) -> None:
        """`count` vectors of pixels."""
        starts = [i * lanes for i in range(count)]
        accumulators = [float_constant(0.0, lanes) for _ in starts]
        for taps in near_taps(distances, lanes, lanes):
            slices = Slices(
                lambda position: load(source, read + pixel + position, lanes),
                starts,
                [distances[tap] for tap in taps],
                lanes,
            )
            for tap in taps:
                weight = splat(weights[tap], lanes)
                for i, start in enumerate(starts):
                    taken = slices.at(start + distances[tap])
                    accumulators[i] = fma(weight, taken, accumulators[i])
        for accumulator, start in zip(accumulators, starts, strict=True):
            at = write + pixel + start
            extras = [splat(v, lanes) for v in per_filter] + [
                load(b, at, lanes) for b in per_position
            ]
            result = inline_epilogue(epilogue, [accumulator, *extras], lanes)
            mask = load_mask(mask_buffer, pixel + start, lanes)
            store(select(mask, result, float_constant(0.0, lanes)), buffers[-1], at)

    whole, rest = divmod(-(-conv.target.extent // lanes), conv.vectors)
    if whole:
        with for_range(0, whole) as number:
            tile(number * (conv.vectors * lanes), conv.vectors)
    if rest:
        tile(Index(whole * conv.vectors * lanes), rest)
    covered = (whole * conv.vectors + rest) * lanes
    zero_fill(buffers[-1], write + covered, conv.target.plane - covered, lanes)

"""Depthwise convolutions on a GPU: each thread computes neighbouring pixels of one row.

    for a part of a row (`gpu_rows`):
      weights = lines of the channel's stream      four words at a time
      for each row of taps:
        x = load input[...]                        once for all pixels and taps that read it
        for each pixel, for each tap of the row: acc[pixel] += weights[tap] * x[pixel + tap]
      store epilogue(acc)

Eight pixels and 3x3 taps have 30 pixels to load for 72 multiply-adds, 0.46 loads each with all
lines; where each tap is loaded for each pixel it is more than one. Strided layers take every s-th
pixel themselves: eight pixels of stride 2 load 51.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import LINE_WORDS, Planar, Stream, ThreadDepthwiseTile

from .accesses import element_bytes, load, load_as, store
from .epilogue import finished, sum_type
from .gpu_rows import Pixels, Row, SharedRows
from .gpu_words import fours
from .indices import Index
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .vectors import cut, fma, in_type, zero


@dataclass(frozen=True, kw_only=True)
class ThreadDepthwise:
    """A depthwise convolution as this kernel sees it.

    Attributes:
        input, result: layouts.
        images, channels: sizes of the activations.
        strides: of the window.
        distances: of each tap from what the window's pixel reads.
        tile: pixels of a thread.
        in_heads: operands per filter that are in the stream.
        lanes: threads of a workgroup.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    strides: tuple[int, ...]
    distances: tuple[int, ...]
    tile: ThreadDepthwiseTile
    in_heads: int
    lanes: int


@dataclass(frozen=True)
class _Channel:
    """What one thread reads of its channel, and where.

    Attributes:
        weights: of all taps.
        per_filter: operands of its filter.
        read, write: where the row begins.
    """

    weights: Sequence[ir.Value]
    per_filter: Sequence[ir.Value]
    read: Index
    write: Index


def thread_depthwise_kernel(conv: ThreadDepthwise, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`."""

    rows = SharedRows(
        result=conv.result,
        images=conv.images,
        channels=conv.channels,
        pixels=conv.tile.pixels,
        lanes=conv.lanes,
    )

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        def row(place: Row) -> Pixels:
            channel = _channel(conv, epilogue, memory, place)
            return functools.partial(_pixels, conv, epilogue, memory, channel)

        rows.emit(memory.result, workgroup, row)

    key, layouts = (conv, epilogue_key(epilogue)), (conv.input, conv.result)
    return Kernel("thread_depthwise", key, rows.workgroups, emit, *layouts, takes_memory=True)


def _channel(
    conv: ThreadDepthwise,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    row: Row,
) -> _Channel:
    """Weights and operands of a row's channel, and where the row is."""
    read = row.plane * conv.input.plane + conv.input.lead
    for index, stride, pitch in zip(row.indices, conv.strides, conv.input.pitches, strict=False):
        read = read + index * (stride * pitch)
    words, stored = memory.arrays.words, ir.MemRefType(memory.input.type).element_type
    taps, line = len(conv.distances), 4 * LINE_WORDS // element_bytes(memory.input)
    lines = -(-taps // line)
    at = row.channel * (conv.in_heads + lines)

    def numbers(number: int, kind: ir.Type) -> list[ir.Value]:
        return [one for four in fours(kind, load(words, at + number)) for one in cut(four, 1)]

    kinds = [argument.type for argument in epilogue.arguments][1 : 1 + conv.in_heads]
    per_filter = [numbers(i, kind)[0] for i, kind in enumerate(kinds)]
    per_filter += [load(buffer, row.channel) for buffer in memory.per_filter]
    weights = [one for i in range(lines) for one in numbers(conv.in_heads + i, stored)][:taps]
    kind = sum_type(epilogue)
    return _Channel([in_type(kind, one) for one in weights], per_filter, read, row.write)


def _pixels(
    conv: ThreadDepthwise,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    channel: _Channel,
    column: Index,
    count: int,
) -> None:
    """`count` neighbours from a column on."""
    kind, stride = sum_type(epilogue), conv.strides[-1]
    begin = channel.read + column * stride
    sums = [zero(kind)] * count
    known: dict[int, ir.Value] = {}
    for weight, distance in zip(channel.weights, conv.distances, strict=True):
        for pixel in range(count):
            at = pixel * stride + distance
            if at not in known:
                known[at] = load_as(kind, memory.input, begin + at)
            sums[pixel] = fma(weight, known[at], sums[pixel])
    for pixel, total in enumerate(sums):
        write = channel.write + column + pixel
        result = finished(epilogue, total, channel.per_filter, memory.per_position, write, 1)
        store(result, memory.result, write)

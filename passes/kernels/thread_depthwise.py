"""Depthwise convolutions on a GPU: each thread computes neighbouring pixels of one row.

    workgroup x: threads of some channels, y: which channels, z: image
      thread -> channel, row, part of the row
        weights = lines of the channel's stream      four words at a time
        for each row of taps:
          x = load input[...]                        once for all pixels and taps that read it
          for each pixel, for each tap of the row: acc[pixel] += weights[tap] * x[pixel + tap]
        store epilogue(acc)
        store zeros to the thread's share of the halo behind the row

Eight pixels and 3x3 taps have 30 pixels to load for 72 multiply-adds, 0.46 loads each with all
lines; where each tap is loaded for each pixel it is more than one. Strided layers take every s-th
pixel themselves: eight pixels of stride 2 load 51. Threads of one workgroup have several channels
where planes are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import LINE_WORDS, Planar, Stream, ThreadDepthwiseTile

from .builder import (
    Index,
    above,
    all_of,
    below,
    cut,
    element_bytes,
    fma,
    for_range,
    fours,
    in_type,
    load,
    load_as,
    minimum,
    select_index,
    store,
    when,
    zero,
)
from .epilogue import finished, sum_type
from .gpu_threads import coordinates, thread
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory


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

    @property
    def row_pitch(self) -> int:
        """From one row of the result to the next; a line is the only row of its plane."""
        return self.result.pitches[-2] if len(self.strides) > 1 else self.result.plane

    @property
    def parts(self) -> int:
        """Threads of a row."""
        return -(-self.result.sizes[-1] // self.tile.pixels)

    @property
    def threads(self) -> int:
        """Those of a plane, rows of halo included."""
        return -(-self.result.plane // self.row_pitch) * self.parts

    @property
    def together(self) -> int:
        """Channels that a workgroup begins with, so that its threads have work."""
        return max(1, self.lanes // self.threads)


@dataclass(frozen=True)
class _Channel:
    """What one thread reads of its channel, and where.

    Attributes:
        weights: of all taps.
        per_filter: operands of its filter.
        read, write: where the planes begin.
    """

    weights: Sequence[ir.Value]
    per_filter: Sequence[ir.Value]
    read: Index
    write: Index


def thread_depthwise_kernel(conv: ThreadDepthwise, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`."""

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        x, group, image = workgroup
        number = x * conv.lanes + thread()
        channel = group * conv.together + number // conv.threads
        exists = [below(number, conv.together * conv.threads), below(channel, conv.channels)]
        with when(all_of(exists)):
            _row(conv, epilogue, memory, channel, number % conv.threads, image)

    some = -(-conv.together * conv.threads // conv.lanes)
    workgroups = (some, -(-conv.channels // conv.together), conv.images)
    key, layouts = (conv, epilogue_key(epilogue)), (conv.input, conv.result)
    return Kernel("thread_depthwise", key, workgroups, emit, *layouts, takes_memory=True)


def _row(
    conv: ThreadDepthwise,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    channel: Index,
    number: Index,
    image: Index,
) -> None:
    """Share of thread `number` of a plane: pixels of a row, and what halo there is behind it."""
    row, part = number // conv.parts * conv.row_pitch, number % conv.parts
    plane = image * conv.channels + channel
    write = plane * conv.result.plane + conv.result.lead
    indices, inside = coordinates(conv.result, row)
    with when(inside):
        read = plane * conv.input.plane + conv.input.lead
        axes = zip(indices[:-1], conv.strides, conv.input.pitches, strict=False)
        for index, stride, pitch in axes:
            read = read + index * (stride * pitch)
        found = _channel(conv, epilogue, memory, channel, read, write + row)
        _pixels_of_part(conv, epilogue, memory, found, part)
    end = select_index(inside, Index(conv.result.sizes[-1]), Index(0))
    with for_range(
        row + end + part, minimum(row + conv.row_pitch, conv.result.plane), conv.parts
    ) as i:
        store(zero(ir.MemRefType(memory.result.type).element_type), memory.result, write + i)


def _channel(
    conv: ThreadDepthwise,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    channel: Index,
    read: Index,
    write: Index,
) -> _Channel:
    """Weights and operands of a channel, whose row is read and written there."""
    words, stored = memory.arrays.words, ir.MemRefType(memory.input.type).element_type
    taps, line = len(conv.distances), 4 * LINE_WORDS // element_bytes(memory.input)
    lines = -(-taps // line)
    at = channel * (conv.in_heads + lines)

    def numbers(number: int, kind: ir.Type) -> list[ir.Value]:
        return [one for four in fours(kind, load(words, at + number)) for one in cut(four, 1)]

    kinds = [argument.type for argument in epilogue.arguments][1 : 1 + conv.in_heads]
    per_filter = [numbers(i, kind)[0] for i, kind in enumerate(kinds)]
    per_filter += [load(buffer, channel) for buffer in memory.per_filter]
    weights = [one for i in range(lines) for one in numbers(conv.in_heads + i, stored)][:taps]
    kind = sum_type(epilogue)
    return _Channel([in_type(kind, one) for one in weights], per_filter, read, write)


def _pixels_of_part(
    conv: ThreadDepthwise,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    channel: _Channel,
    part: Index,
) -> None:
    """The pixels of a part of a row, of which the last one may have fewer."""
    whole, left = divmod(conv.result.sizes[-1], conv.tile.pixels)
    column = part * conv.tile.pixels
    if not left:
        _pixels(conv, epilogue, memory, channel, column, conv.tile.pixels)
        return
    with when(below(part, whole)):
        _pixels(conv, epilogue, memory, channel, column, conv.tile.pixels)
    with when(above(part, whole - 1)):
        _pixels(conv, epilogue, memory, channel, column, left)


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

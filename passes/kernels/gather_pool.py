"""Gather-GEMM that stores only the maximum of each window of its result, taken in registers.

    for each block of filters, for each row of the result, for each tile of its windows:
      acc[filters][rows x vectors] = 0                     vectors of pixels in rows of the windows
      for each kept column of the block:
        x[rows x vectors] = load input[offset of the column + pixel]
        for each filter: acc[filter][:] += weight * x[:]
      y[filters][vectors] = maximum of epilogue(acc) over the rows
      store maximum of the even and the odd lanes of y

Columns are those of `gather_gemm`. The convolution's result, of which a quarter or less is kept, is
never in memory. Rows of a window that the registers do not hold come in turns, and y waits. Unlike
tiles of `gather_gemm`, these start anew in each row.

    workgroup x: group of blocks, y: group of rows of the result, z: image
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from niwaki.dialects import Planar

from .builder import (
    Index,
    equal,
    for_range,
    load,
    load_index,
    maximum,
    minimum,
    splat,
    store,
    when,
    zero_fill,
)
from .epilogue import inline_epilogue
from .gather_gemm import WEIGHTS_AHEAD, accumulate, gather, touched_lines
from .library import Kernel, epilogue_key
from .rows import overlapping, vector_widths, zero_before

COLUMNS = 2  # of a window


@dataclass(frozen=True)
class GatherPool:
    """A convolution and the maximum over windows of its result, as this kernel sees them.

    Attributes:
        source, target: layouts of input and result.
        images, channels, filters: sizes of the activations.
        window: sizes of a window; the last is `COLUMNS`.
        rows: filters of a full block; `rest` of a lower one.
        full_blocks, blocks: how many blocks are full, how many there are.
        together: rows of a window that a tile has.
        vectors: vectors of pixels of a tile in each of them.
        lines, group: rows of the result and blocks of a workgroup.
        origin, unit: a column lies ``origin + unit * its offset`` elements from the output pixel.
        per_filter: number of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    filters: int
    window: tuple[int, ...]
    rows: int
    rest: int
    full_blocks: int
    blocks: int
    together: int
    vectors: int
    lines: int
    group: int
    origin: int
    unit: int
    per_filter: int
    lanes: int

    @property
    def all_lines(self) -> int:
        """Rows of a plane of the result."""
        return math.prod(self.target.sizes[:-1])

    @property
    def widths(self) -> list[int]:
        """Widths of vectors that cover a row of windows."""
        return window_widths(self.target.sizes[-1], self.lanes)

    @property
    def starts(self) -> list[int]:
        """Where the rows of a window begin, seen from its first pixel."""
        rows = itertools.product(*map(range, self.window[:-1]))
        return [self.source.pixel((*row, 0)) for row in rows]

    @property
    def next_line(self) -> int:
        """Distance to the windows below; 0 in one dimension."""
        return self.window[-2] * self.source.pitches[-2] if len(self.window) > 1 else 0

    @property
    def covered(self) -> int:
        """Elements from the first pixel to the last that is computed, in pitches of the input."""
        sizes = zip(self.target.sizes[:-1], self.window[:-1], strict=True)
        last_row = [size * window - 1 for size, window in sizes]
        return self.source.pixel((*last_row, 0)) + sum(self.widths)


def window_widths(windows: int, lanes: int) -> list[int]:
    """Widths of vectors of pixels that cover a row of windows."""
    return vector_widths(windows * COLUMNS, lanes)


@dataclass(frozen=True)
class Block:
    """A block of filters in one image.

    Attributes:
        rows: how many filters.
        filter: the first.
        columns: first and last + 1 entry in the offsets, first value.
        read, write: where the image's and the first filter's planes begin.
    """

    rows: int
    filter: Index
    columns: tuple[Index, Index, Index]
    read: Index
    write: Index


def gather_pool_kernel(conv: GatherPool, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values, offsets, blocks, per filter."""
    line_groups = -(-conv.all_lines // conv.lines)
    workgroups = (-(-conv.blocks // conv.group), line_groups, conv.images)

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        x, y, image = workgroup
        begin = x * conv.group
        end = minimum(begin + conv.group, conv.blocks)

        def compute(number: Index, rows: int) -> None:
            block = _block(conv, buffers[3], number, rows, image)
            first = y * conv.lines
            with for_range(first, minimum(first + conv.lines, conv.all_lines)) as line:
                _line(conv, epilogue, buffers, block, line)

        if conv.full_blocks:
            with for_range(begin, minimum(end, conv.full_blocks)) as number:
                compute(number, conv.rows)
        if conv.full_blocks < conv.blocks:
            with for_range(maximum(begin, conv.full_blocks), end) as number:
                compute(number, conv.rest)

    layouts = (conv.source, *[None] * (3 + conv.per_filter), conv.target)
    return Kernel("gather_pool", (conv, epilogue_key(epilogue)), workgroups, layouts, emit)


def _block(conv: GatherPool, table: ir.Value, number: Index, rows: int, image: Index) -> Block:
    """What the table says of a block."""
    filter_, first, last, value = (load_index(table, number * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.source.phases)
    read = image * (planes * conv.source.plane) + conv.origin
    write = (image * conv.filters + filter_) * conv.target.plane + conv.target.lead
    return Block(rows, filter_, (first, last, value), read, write)


def _line(
    conv: GatherPool, epilogue: ir.Block, buffers: list[ir.Value], block: Block, line: Index
) -> None:
    """One row of the result for a block, and the zeros around it."""
    target, lanes, output = conv.target, conv.lanes, buffers[-1]
    places = _places(line, target.sizes[:-1])
    tops = [place * size for place, size in zip(places, conv.window, strict=False)]
    read = block.read + _row_start(tops, conv.source)
    write = block.write + _row_start(places, target)

    def tile(first: Index, widths: list[int], kept: int) -> None:
        values = _maxima(conv, epilogue, buffers, block, read + first * COLUMNS, widths)
        for (row, number), value in values.items():
            done = number * lanes // COLUMNS
            count = min(widths[number] // COLUMNS, kept - done)
            _store_windows(value, output, write + row * target.plane + first + done, count)

    windows = conv.vectors * lanes // COLUMNS
    whole, rest = divmod(target.sizes[-1], windows)
    if whole:
        with for_range(0, whole) as number:
            tile(number * windows, [lanes] * conv.vectors, windows)
    if rest:
        tile(Index(whole * windows), conv.widths[whole * conv.vectors :], rest)
    with for_range(0, block.rows) as row:
        at = write + row * target.plane
        zero_before(output, places, at, target, lanes)
        with when(equal(line, conv.all_lines - 1)):
            zero_fill(output, at + target.sizes[-1], target.plane - target.extent, lanes)


def _places(line: Index, sizes: Sequence[int]) -> list[Index]:
    """Indices of a row of a plane in all but the last dimension, of these sizes."""
    inner = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    outermost = [line // step for step in inner[:1]]
    return outermost + [
        line // step % size for step, size in zip(inner[1:], sizes[1:], strict=True)
    ]


def _row_start(places: Sequence[Index], layout: Planar) -> Index:
    """Where a row begins in its plane."""
    steps = zip(places, layout.pitches, strict=False)
    return sum((place * pitch for place, pitch in steps), Index(0))


def _maxima(
    conv: GatherPool,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    block: Block,
    base: Index,
    widths: list[int],
) -> dict[tuple[int, int], ir.Value]:
    """For each filter of a block and each vector of a tile the maximum over the rows of windows."""
    best: dict[tuple[int, int], ir.Value] = {}
    for first in range(0, len(conv.starts), conv.together):
        rows = conv.starts[first : first + conv.together]
        starts = [row + sum(widths[:i]) for row in rows for i in range(len(widths))]
        lines = [row + line for row in rows for line in touched_lines(sum(widths))]
        # All columns together ask for the rows that the line below reads and this one does not.
        below = starts[-len(widths) :] if conv.next_line else []
        later = [start + conv.next_line for start in below]
        inputs = gather(buffers, base, conv.unit, starts, widths * len(rows), lines, later)
        cover = widths * len(rows)
        sums = accumulate(buffers, block.columns, block.rows, cover, inputs, ahead=WEIGHTS_AHEAD)
        for place, total in enumerate(sums):
            filter_, vector_ = place // len(starts), place % len(widths)
            width = widths[vector_]
            extras = [splat(load(each, block.filter + filter_), width) for each in buffers[4:-1]]
            value = inline_epilogue(epilogue, [total, *extras], width)
            known = best.get((filter_, vector_))
            # NaN wins, as in PyTorch.
            best[filter_, vector_] = value if known is None else arith.maximumf(known, value)
    return best


def _store_windows(value: ir.Value, output: ir.Value, at: Index, kept: int) -> None:
    """Store the maximum of each two lanes, for the first `kept` windows."""
    starts, width = overlapping(kept, kept)
    for start in starts:
        even, odd = (
            vector.shuffle(value, value, [COLUMNS * (start + i) + lane for i in range(width)])
            for lane in range(COLUMNS)
        )
        store(arith.maximumf(even, odd), output, at + start)

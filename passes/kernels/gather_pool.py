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
from torch_mlir.dialects import vector

from niwaki.dialects import Blocks, GatherPoolTile, Planar

from .accesses import load, store, zero_fill
from .blocks import Block, BlockedConv, block_of, each_block
from .control import for_range, when
from .epilogue import finished, sum_type
from .gather_gemm import WEIGHTS_AHEAD, accumulate, gather, product_type, touched_lines
from .indices import Index, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import overlapping, vector_widths, zero_before
from .vectors import float_maximum

COLUMNS = 2  # of a window


@dataclass(frozen=True, kw_only=True)
class GatherPool(BlockedConv):
    """A convolution and the maximum over windows of its result, as this kernel sees them.

    Attributes:
        window: sizes of a window; the last is `COLUMNS`.
        tile: its rows are those of a window that are computed together.
    """

    window: tuple[int, ...]
    tile: GatherPoolTile

    @property
    def all_lines(self) -> int:
        """Rows of a plane of the result."""
        return math.prod(self.result.sizes[:-1])

    @property
    def widths(self) -> list[int]:
        """Widths of vectors that cover a row of windows."""
        return window_widths(self.result.sizes[-1], self.lanes)

    @property
    def starts(self) -> list[int]:
        """Where the rows of a window begin, seen from its first pixel."""
        rows = itertools.product(*map(range, self.window[:-1]))
        return [self.input.pixel((*row, 0)) for row in rows]

    @property
    def next_line(self) -> int:
        """Distance to the windows below; 0 in one dimension."""
        return self.window[-2] * self.input.pitches[-2] if len(self.window) > 1 else 0

    @property
    def covered(self) -> int:
        """Elements from the first pixel to the last that is computed, in pitches of the input."""
        sizes = zip(self.result.sizes[:-1], self.window[:-1], strict=True)
        last_row = [size * window - 1 for size, window in sizes]
        return self.input.pixel((*last_row, 0)) + sum(self.widths)


def window_widths(windows: int, lanes: int) -> list[int]:
    """Widths of vectors of pixels that cover a row of windows."""
    return vector_widths(windows * COLUMNS, lanes)


def gather_pool_kernel(conv: GatherPool, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`, without a mask and operands per position."""
    line_groups = -(-conv.all_lines // conv.tile.lines)
    workgroups = (-(-conv.blocks // conv.tile.blocks), line_groups, conv.images)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, image = workgroup

        def compute(number: Index, height: int) -> None:
            block = block_of(conv, memory.arrays.blocks, number, height, image)
            first = y * conv.tile.lines
            with for_range(first, minimum(first + conv.tile.lines, conv.all_lines)) as line:
                _line(conv, epilogue, memory, block, line)

        each_block(conv, x, compute)

    key = (conv, epilogue_key(epilogue))
    return Kernel("gather_pool", key, workgroups, emit, conv.input, conv.result)


def _line(
    conv: GatherPool,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Block,
    line: Index,
) -> None:
    """One row of the result for a block, and the zeros around it."""
    layout, lanes, output = conv.result, conv.lanes, memory.result
    places = _places(line, layout.sizes[:-1])
    tops = [place * size for place, size in zip(places, conv.window, strict=False)]
    read = block.read + _row_start(tops, conv.input)
    write = block.write + _row_start(places, layout)

    def tile(first: Index, widths: list[int], kept: int) -> None:
        values = _maxima(conv, epilogue, memory, block, read + first * COLUMNS, widths)
        for (row, number), value in values.items():
            done = number * lanes // COLUMNS
            count = min(widths[number] // COLUMNS, kept - done)
            _store_windows(value, output, write + row * layout.plane + first + done, count)

    windows = conv.tile.vectors * lanes // COLUMNS
    whole, rest = divmod(layout.sizes[-1], windows)
    if whole:
        with for_range(0, whole) as number:
            tile(number * windows, [lanes] * conv.tile.vectors, windows)
    if rest:
        tile(Index(whole * windows), conv.widths[whole * conv.tile.vectors :], rest)
    with for_range(0, block.height) as row:
        at = write + row * layout.plane
        zero_before(output, places, at, layout, lanes)
        with when(equal(line, conv.all_lines - 1)):
            zero_fill(output, at + layout.sizes[-1], layout.plane - layout.extent, lanes)


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
    memory: Memory[Blocks[ir.Value]],
    block: Block,
    base: Index,
    widths: list[int],
) -> dict[tuple[int, int], ir.Value]:
    """For each filter of a block and each vector of a tile the maximum over the rows of windows."""
    best: dict[tuple[int, int], ir.Value] = {}
    kind = sum_type(epilogue)
    products = product_type(kind, memory, conv.runs)
    for first in range(0, len(conv.starts), conv.tile.rows):
        rows = conv.starts[first : first + conv.tile.rows]
        starts = [row + sum(widths[:i]) for row in rows for i in range(len(widths))]
        lines = [row + line for row in rows for line in touched_lines(sum(widths), memory.input)]
        # All columns together ask for the rows that the line below reads and this one does not.
        below = starts[-len(widths) :] if conv.next_line else []
        later = [start + conv.next_line for start in below]
        inputs = gather(products, memory, base, conv.unit, starts, widths * len(rows), lines, later)
        cover, values = widths * len(rows), memory.arrays.values
        sums = accumulate(
            *(kind, products, values, block.columns, block.height, cover, inputs),
            weight_lanes=conv.weight_lanes,
            ahead=WEIGHTS_AHEAD,
        )
        for place, total in enumerate(sums):
            filter_, vector_ = place // len(starts), place % len(widths)
            width = widths[vector_]
            bias = [load(buffer, block.filter + filter_) for buffer in memory.per_filter]
            value = finished(epilogue, total, bias, [], Index(0), width)
            known = best.get((filter_, vector_))
            # NaN wins, as in PyTorch.
            best[filter_, vector_] = value if known is None else float_maximum(known, value)
    return best


def _store_windows(value: ir.Value, output: ir.Value, at: Index, kept: int) -> None:
    """Store the maximum of each two lanes, for the first `kept` windows."""
    starts, width = overlapping(kept, kept)
    for start in starts:
        even, odd = (
            vector.shuffle(value, value, [COLUMNS * (start + i) + lane for i in range(width)])
            for lane in range(COLUMNS)
        )
        store(float_maximum(even, odd), output, at + start)

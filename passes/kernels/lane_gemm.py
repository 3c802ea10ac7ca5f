"""Gather-GEMM with filters in lanes: vectors of weights times single pixels of the input.

    for each block of filters, for each tile of a few pixels of a few rows:
      acc[pixels][filters] = 0                              vectors run over filters
      for each kept column of the block:
        w[filters], x[pixels] = load weights, load input[offset of the column + pixel]
        for each pixel: acc[pixel][:] += w[:] * x[pixel]    one multiply-add for each vector of w
      transpose acc: vectors run over pixels again
      store epilogue(acc)

For targets that multiply by a lane. Columns are those of `gather_gemm`, whose vectors run through
rows and their halo: rows of 7 pixels are 8 apart, so that an eighth of its multiply-adds is in
vain. Here a tile has pixels alone, whatever the rows' length. Rows of a tile are whole, or it is a
part of one row.

    workgroup x: group of blocks, y: group of rows, z: image
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Blocks, LaneGemmTile, round_up

from .accesses import load, load_as, prefetch, zero_fill
from .blocks import Block, BlockedConv, block_of, each_block
from .control import for_range, when
from .epilogue import bias_of, sum_type
from .epilogue_rows import EachRow, rows_of_tile
from .gather_gemm import (
    WEIGHTS_AHEAD,
    add_columns,
    gather,
    product_type,
    store_row,
    touched_lines,
)
from .indices import Index, equal, minimum
from .lanes import lane_slice, pixel_loads, pixel_widths, transposed
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import zero_ends
from .vectors import float_constant, fma, splat


@dataclass(frozen=True, kw_only=True)
class LaneGemm(BlockedConv):
    """A convolution of images as this kernel sees it; all blocks have whole vectors of filters."""

    tile: LaneGemmTile

    @property
    def parts(self) -> list[int]:
        """How many pixels of a row tiles have: those of the tile's, and what is left."""
        width, size = self.result.sizes[-1], self.tile.pixels
        return [size, *([width % size] if width % size else [])]

    @property
    def covered(self) -> int:
        """Elements from the first pixel to the last that is read, in whole vectors."""
        last = self.parts[-1]
        return self.result.extent - last + round_up(last, self.lanes)


def lane_gemm_kernel(conv: LaneGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`, without a mask."""
    rows, size = conv.result.sizes[0], conv.tile
    row_groups = -(-rows // size.lines)
    workgroups = (-(-conv.blocks // size.blocks), row_groups, conv.images)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, image = workgroup
        covers = [pixel_widths(pixels, conv.lanes) for pixels in conv.parts]
        most = size.rows * max(map(len, covers))
        each_row = rows_of_tile(epilogue, size.filters, most, itertools.chain(*covers))

        def compute(number: Index, height: int) -> None:
            block = block_of(conv, memory.arrays.blocks, number, height, image)
            _rows(conv, epilogue, memory, block, y, row_groups, each_row)

        each_block(conv, x, compute)

    key, layouts = (conv, epilogue_key(epilogue)), (conv.input, conv.result)
    return Kernel("lane_gemm", key, workgroups, emit, *layouts, takes_memory=True)


def _rows(
    conv: LaneGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Block,
    row_group: Index,
    row_groups: int,
    each_row: EachRow,
) -> None:
    """The rows of a workgroup for a block, and the zeros behind them."""
    (rows, width), (pitch, _) = conv.result.sizes, conv.result.pitches
    size = conv.tile
    whole = rows // size.rows

    def tiles(row: Index, count: int) -> None:
        """Tiles side by side that cover `count` rows."""

        def tile(first: Index, pixels: int) -> None:
            _tile(conv, epilogue, memory, block, row * pitch + first, count, pixels, each_row)

        with for_range(0, width // size.pixels) as number:
            tile(number * size.pixels, size.pixels)
        if rest := width % size.pixels:
            tile(Index(width - rest), rest)

    turns = size.lines // size.rows
    begin = row_group * turns
    with for_range(begin, minimum(begin + turns, whole)) as number:
        tiles(number * size.rows, size.rows)
    first = row_group * size.lines
    last = minimum(first + size.lines, rows - 1)
    if pitch > width:
        with for_range(0, block.height) as plane, for_range(first, last) as row:
            at = block.write + plane * conv.result.plane + row * pitch + width
            zero_fill(memory.result, at, pitch - width, conv.lanes)

    def finish() -> None:
        if rest := rows % size.rows:
            tiles(Index(rows - rest), rest)
        planes, extent = block.height, conv.result.extent
        zero_ends(memory.result, block.write, planes, conv.result, extent, conv.lanes)

    if row_groups == 1:
        finish()
        return
    with when(equal(row_group, row_groups - 1)):
        finish()


def _tile(
    conv: LaneGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Block,
    pixel: Index,
    rows: int,
    pixels: int,
    each_row: EachRow,
) -> None:
    """`pixels` neighbouring pixels of each of `rows` rows, the first of them `pixel`."""
    lanes, pitch = conv.lanes, conv.result.pitches[0]
    tops = [row * pitch for row in range(rows)]
    kind = sum_type(epilogue)
    bias = bias_of(epilogue, len(memory.per_filter))
    vectors = block.height // lanes
    if bias is None:
        start = [float_constant(0.0, kind, lanes)] * vectors
    else:
        values = memory.per_filter[bias.number]
        start = [load(values, block.filter + i * lanes, lanes) for i in range(vectors)]
    sums = _accumulate(conv, kind, memory, block, pixel, tops, pixels, start * (rows * pixels))
    widths = pixel_widths(pixels, lanes)
    starts = [top + sum(widths[:i]) for top in tops for i in range(len(widths))]
    by_filter: list[list[ir.Value]] = [[] for _ in range(block.height)]
    for row in range(rows):
        of_row = sums[row * pixels * vectors : (row + 1) * pixels * vectors]
        for i in range(vectors):
            for filter_, parts in enumerate(transposed(of_row[i::vectors], lanes)):
                by_filter[i * lanes + filter_] += parts

    def store_one(row: Index, values: list[ir.Value]) -> None:
        at = block.write + row * conv.result.plane + pixel
        cover = widths * rows
        store_row(epilogue, memory, values, starts, cover, None, block.filter + row, at, bias)

    each_row([value for parts in by_filter for value in parts], widths * rows, store_one)


def _accumulate(
    conv: LaneGemm,
    kind: ir.Type,
    memory: Memory[Blocks[ir.Value]],
    block: Block,
    pixel: Index,
    tops: list[int],
    pixels: int,
    start: list[ir.Value],
) -> list[ir.Value]:
    """For each pixel of each row, which begin at `tops`, the sums of all filters, in vectors."""
    products, lanes = product_type(kind, memory, conv.runs), conv.lanes
    firsts, width = pixel_loads(pixels, lanes)
    starts = [top + first for top in tops for first in firsts]
    lines = touched_lines(tops[-1] + pixels, memory.input)
    base = block.read + pixel
    inputs = gather(products, memory, base, conv.unit, starts, [width] * len(starts), lines)
    first, last, value = block.columns
    values = memory.arrays.values

    def add(_: int, number: Index, sums: list[ir.Value]) -> list[ir.Value]:
        loaded = inputs(number)
        at = value + (number - first) * block.height
        prefetch(values, at + WEIGHTS_AHEAD)
        weights = [load_as(products, values, at + i, lanes) for i in range(0, block.height, lanes)]
        scalars = []
        for row in range(len(tops)):
            for place in range(pixels):
                number_of = min(place // width, len(firsts) - 1)
                part = loaded[row * len(firsts) + number_of]
                scalars.append(lane_slice(part, place - firsts[number_of], 1))
        pairs = ((weight, splat(x, lanes)) for x in scalars for weight in weights)
        return [fma(*pair, total) for pair, total in zip(pairs, sums, strict=True)]

    return add_columns(kind, products, first, last, start, add)

"""Linear layers of many rows: gather-GEMM whose vectors run over rows.

    panel[inputs][rows] = transpose input[rows][inputs]      in scratch memory of the workgroup
    for each block of filters:
      acc[filters][vectors] = 0
      for each kept column of the block:
        x[vectors] = load panel[column]                      one load for each vector
        for each filter: acc[filter][:] += weight * x[:]     one multiply-add for each vector
      transpose acc: vectors run over filters again
      store epilogue(acc)

Rows share each weight, and filters share what is loaded of rows, so that loads are few beside
multiply-adds, whatever columns a block keeps.

    workgroup x: group of rows, y: group of blocks
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import Blocks, Planar, RowGemmTile
from niwaki.targets import LINE_BYTES

from .blocks import each_block
from .builder import (
    Index,
    above,
    below,
    element_bytes,
    for_range,
    in_type,
    load,
    load_index,
    local_vectors,
    pieces,
    store,
    when,
)
from .epilogue import sum_type
from .epilogue_rows import is_long, rows_of_tile
from .filter_rows import store_rows
from .gather_gemm import WEIGHTS_AHEAD, accumulate, gather, store_row
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces, vector_widths
from .squares import load_transposed
from .winograd_vectors import interleave


@dataclass(frozen=True, kw_only=True)
class RowGemm:
    """A linear layer as this kernel sees it.

    Attributes:
        rows, inputs, filters: sizes; input is rows x inputs, result rows x filters.
        tile: filters of a full block, vectors of rows; blocks of a workgroup.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        lanes: numbers of a vector.
        weight_lanes: weights that are loaded at once.
        runs: whether products are added up in runs, in the type of the input.
        input, result: layouts of those in panels, which are read and written as they are.
    """

    rows: int
    inputs: int
    filters: int
    tile: RowGemmTile
    rest: int
    full_blocks: int
    blocks: int
    lanes: int
    weight_lanes: int
    runs: bool
    input: Planar | None = None
    result: Planar | None = None

    @property
    def rows_together(self) -> int:
        """Rows of a workgroup."""
        return self.tile.vectors * self.lanes

    @property
    def panel(self) -> int:
        """Elements of a workgroup's scratch memory, or of its part of an input in panels."""
        return self.inputs * self.rows_together

    @property
    def last_rows(self) -> int:
        """Rows of a last, smaller group; 0 where all are full."""
        return self.rows % self.rows_together


@dataclass(frozen=True)
class _Tile:
    """The rows of a workgroup.

    Attributes:
        first: of them.
        rows: how many there are; lanes beyond them hold the last one again.
        widths: of the vectors that cover them.
        panel: where they begin in scratch memory, or in an input in panels.
        pitch: from an input to the next one there.
    """

    first: Index
    rows: int
    widths: list[int]
    panel: Index
    pitch: int

    @property
    def starts(self) -> list[int]:
        """The row that each vector begins with."""
        return [sum(self.widths[:i]) for i in range(len(self.widths))]


def row_gemm_kernel(linear: RowGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`."""
    whole, rest = linear.rows // linear.rows_together, linear.last_rows
    row_groups, block_groups = whole + (rest > 0), -(-linear.blocks // linear.tile.blocks)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, _ = workgroup
        # Panels of the input serve all groups of blocks, scratch memory is a workgroup's own.
        panel = (x if linear.input else y * row_groups + x) * linear.panel
        finish = _in_panels(linear, epilogue) if linear.result else _in_rows(linear, epilogue)

        def compute(first: Index, rows: int) -> None:
            widths = vector_widths(rows, linear.lanes)
            pitch = linear.rows_together if linear.input else sum(widths)
            _rows(linear, epilogue, memory, _Tile(first, rows, widths, panel, pitch), y, finish)

        if whole:
            with when(below(x, whole)):
                compute(x * linear.rows_together, linear.rows_together)
        if rest:
            with when(above(x, whole - 1)):
                compute(Index(whole * linear.rows_together), rest)

    workgroups = (row_groups, block_groups, 1)
    computed = ir.F16Type.get() if linear.runs else sum_type(epilogue)
    room = ir.RankedTensorType.get([math.prod(workgroups) * linear.panel], computed)
    scratch = None if linear.input else room
    key = (linear, epilogue_key(epilogue))
    return Kernel("row_gemm", key, workgroups, emit, linear.input, linear.result, scratch)


def _rows(
    linear: RowGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    tile: _Tile,
    block_group: Index,
    finish: _Finish,
) -> None:
    """All blocks of a workgroup for its rows."""
    panels = memory.input
    if memory.scratch is not None:
        panels = memory.scratch
        _transpose(linear, memory.input, panels, tile)
    kind, products = sum_type(epilogue), ir.MemRefType(panels.type).element_type
    panel, table = replace(memory, input=panels), memory.arrays.blocks
    # It begins with one.
    lines = [*range(0, sum(tile.widths), LINE_BYTES // element_bytes(panels))]
    inputs = gather(products, panel, tile.panel, tile.pitch, tile.starts, tile.widths, lines)

    def block(number: Index, height: int) -> None:
        filter_, first, last, value = (load_index(table, number * 4 + i) for i in range(4))
        columns, widths = (first, last, value), tile.widths
        sums = accumulate(
            *(kind, products, memory.arrays.values, columns, height, widths, inputs),
            weight_lanes=linear.weight_lanes,
            ahead=WEIGHTS_AHEAD,
        )
        finish(memory, tile, sums, filter_)

    each_block(linear, block_group, block)


# Ends a block: gets the sums of filters from the one given on, for each a vector of each width.
_Finish = Callable[[Memory[Any], _Tile, list[ir.Value], Index], None]


def _in_panels(linear: RowGemm, epilogue: ir.Block) -> _Finish:
    """Vectors over rows are stored as they are, filter by filter."""
    rows = linear.rows_together
    groups = [vector_widths(count, linear.lanes) for count in (rows, linear.last_rows) if count]
    widest, vectors = max(linear.tile.filters, linear.rest), linear.tile.vectors
    each_row = rows_of_tile(epilogue, widest, vectors, itertools.chain(*groups))

    def finish(memory: Memory[Any], tile: _Tile, sums: list[ir.Value], filter_: Index) -> None:
        begin = tile.first * linear.filters

        def store_one(row: Index, of_filter: list[ir.Value]) -> None:
            at = begin + (filter_ + row) * rows
            starts, widths = tile.starts, tile.widths
            store_row(epilogue, memory, of_filter, starts, widths, None, filter_ + row, at)

        each_row(sums, tile.widths, store_one)

    return finish


def _in_rows(linear: RowGemm, epilogue: ir.Block) -> _Finish:
    """Sums are transposed, a power of two of filters at a time."""
    stacks = _stacks(linear, epilogue)

    def finish(memory: Memory[Any], tile: _Tile, sums: list[ir.Value], filter_: Index) -> None:
        vectors = len(tile.widths)
        height = len(sums) // vectors
        for offset, count, repeats in pieces(height, _power_of_two(height)):
            for start in range(offset, offset + count * repeats, count):
                for i in range(vectors):
                    of_vector = sums[i::vectors][start : start + count]
                    _finish(linear, epilogue, memory, tile, of_vector, i, filter_ + start, stacks)

    return finish


def _power_of_two(limit: int) -> int:
    """The largest up to `limit`."""
    return 1 << (limit.bit_length() - 1)


def _transpose(linear: RowGemm, source: ir.Value, scratch: ir.Value, tile: _Tile) -> None:
    """Write the panel: squares of as many inputs as a vector has rows."""
    kind = ir.MemRefType(scratch.type).element_type
    for begin, width in zip(tile.starts, tile.widths, strict=True):
        rows = [tile.first + min(begin + i, tile.rows - 1) for i in range(width)]

        def square(number: Index, count: int, begin: int = begin, rows: list[Index] = rows) -> None:
            places = [row * linear.inputs + number for row in rows]
            for i, value in enumerate(load_transposed(source, places)):
                at = tile.panel + (number + i) * tile.pitch + begin
                store(in_type(kind, value), scratch, at)

        for_pieces(linear.inputs, width, square)


def _stacks(linear: RowGemm, epilogue: ir.Block) -> dict[int, ir.Value]:
    """Memory for a long epilogue: it is in a loop over vectors, which wait on the stack.

    To be called outside of loops: what is taken from the stack comes back with the function only.
    """
    if not is_long(epilogue):
        return {}
    most, kind = max(linear.tile.filters, linear.rest), sum_type(epilogue)
    rest = linear.last_rows
    widths = {linear.lanes, *(vector_widths(rest, linear.lanes) if rest else [])}
    return {width: local_vectors(most, width, kind) for width in sorted(widths)}


def _finish(
    linear: RowGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    tile: _Tile,
    sums: list[ir.Value],
    number: int,
    filter_: Index,
    stacks: dict[int, ir.Value],
) -> None:
    """Epilogue and store of a tile's vector `number`: sums of filters from `filter_` on.

    There are as many filters as a power of two. Vectors over rows become such over filters: of
    several rows, or of a part of one. In `stacks` the vectors of long epilogues wait.
    """
    first, width = tile.starts[number], tile.widths[number]
    wide = min(len(sums), width)
    rows, parts = width // wide, len(sums) // wide

    def store_one(i: Index, value: ir.Value, exist: int = rows) -> None:
        """Vector `i` of those over filters, `exist` of whose rows there are."""
        row, part = tile.first + first + i // parts * rows, filter_ + i % parts * wide
        at = [(row + r) * linear.filters + part for r in range(exist)]
        places = at + at[-1:] * (rows - exist)
        store_rows(epilogue, memory, value, part, places, wide)

    over_filters = interleave(sums)
    whole, rest = divmod(min(width, tile.rows - first), rows)
    if stacks:
        for i, value in enumerate(over_filters):
            store(value, stacks[width], i)
        with for_range(0, whole * parts) as place:
            store_one(place, load(stacks[width], place))
    else:
        for i, value in enumerate(over_filters[: whole * parts]):
            store_one(Index(i), value)
    if rest:
        store_one(Index(whole), over_filters[whole], rest)

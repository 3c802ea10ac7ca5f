"""The end of a tile of rows: sums over rows become results, whose vectors run over filters.

    sums[filters][rows]  -- transposed -->  epilogue, stored row by row

Sums of single filters, or of few, wait until there are enough for vectors. Stored at once, they
would take a small part of a line in each of as many rows as there are lanes. Rows lie a result's
width apart, often in the same few places of the nearest cache, which would have lost a line again
when its next part comes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch_mlir.ir as ir

from .accesses import load, pieces, store
from .control import for_range, when
from .epilogue import sum_type
from .epilogue_rows import is_long, rows_of_tile
from .filter_rows import store_rows
from .gather_gemm import store_row
from .indices import Index, equal, minimum
from .local_buffers import local_vectors
from .operands import Memory
from .row_sizes import RowGemm, RowTile
from .rows import vector_widths
from .winograd_vectors import interleave

# Ends a block: gets the sums of filters from the one given on, for each a vector of each width.
Finish = Callable[[Memory[Any], RowTile, list[ir.Value], Index], None]


def in_panels(linear: RowGemm, epilogue: ir.Block) -> Finish:
    """Vectors over rows are stored as they are, filter by filter."""
    rows = linear.rows_together
    groups = [vector_widths(count, linear.lanes) for count in (rows, linear.last_rows) if count]
    widest, vectors = max(linear.tile.filters, linear.rest), linear.tile.vectors
    each_row = rows_of_tile(epilogue, widest, vectors, itertools.chain(*groups))

    def finish(memory: Memory[Any], tile: RowTile, sums: list[ir.Value], filter_: Index) -> None:
        begin = tile.first * linear.filters

        def store_one(row: Index, of_filter: list[ir.Value]) -> None:
            at = begin + (filter_ + row) * rows
            starts, widths = tile.starts, tile.widths
            store_row(epilogue, memory, of_filter, starts, widths, None, filter_ + row, at)

        each_row(sums, tile.widths, store_one)

    return finish


def in_rows(linear: RowGemm, epilogue: ir.Block) -> Finish:
    """Sums are transposed, a power of two of filters at a time."""
    stacks = _stacks(linear, epilogue)

    def finish(memory: Memory[Any], tile: RowTile, sums: list[ir.Value], filter_: Index) -> None:
        vectors = len(tile.widths)
        height = len(sums) // vectors
        for offset, count, repeats in pieces(height, _power_of_two(height)):
            for start in range(offset, offset + count * repeats, count):
                for i in range(vectors):
                    of_vector = sums[i::vectors][start : start + count]
                    _finish(linear, epilogue, memory, tile, of_vector, i, filter_ + start, stacks)

    return finish


def hold(memory: Memory[Any], tile: RowTile, sums: list[ir.Value], filter_: Index) -> None:
    """Keep a block's sums, whose first filter is the workgroup's `filter_`."""
    scratch, count, pitch = memory.scratch, len(tile.widths), sum(tile.widths)
    assert scratch is not None
    for number, value in enumerate(sums):
        row, i = divmod(number, count)
        store(value, scratch, tile.held + (filter_ + row) * pitch + tile.starts[i])


def finish_held(
    linear: RowGemm, memory: Memory[Any], tile: RowTile, block_group: Index, finish: Finish
) -> None:
    """End what all blocks of a workgroup have left, as many filters at a time as it has lanes."""
    together, lanes, pitch = linear.filters_together, linear.lanes, sum(tile.widths)
    first, whole = block_group * together, linear.filters // lanes * lanes
    scratch = memory.scratch
    assert scratch is not None

    def some(filter_: Index, count: int) -> None:
        at = tile.held + (filter_ - first) * pitch
        places = [
            (at + row * pitch + start, width)
            for row in range(count)
            for start, width in zip(tile.starts, tile.widths, strict=True)
        ]
        sums = [load(scratch, place, width) for place, width in places]
        finish(memory, tile, sums, filter_)

    if whole:
        with for_range(first, minimum(first + together, whole), lanes) as filter_:
            some(filter_, lanes)
    if whole < linear.filters:
        last = (linear.filters - 1) // together
        with when(equal(block_group, last)):
            some(Index(whole), linear.filters - whole)


def _power_of_two(limit: int) -> int:
    """The largest up to `limit`."""
    return 1 << (limit.bit_length() - 1)


def _stacks(linear: RowGemm, epilogue: ir.Block) -> dict[int, ir.Value]:
    """Memory for a long epilogue: it is in a loop over vectors, which wait on the stack.

    To be called outside of loops: what is taken from the stack comes back with the function only.
    """
    if not is_long(epilogue):
        return {}
    held = linear.lanes if linear.holds_sums else 0
    most, kind = max(linear.tile.filters, linear.rest, held), sum_type(epilogue)
    rest = linear.last_rows
    widths = {linear.lanes, *(vector_widths(rest, linear.lanes) if rest else [])}
    return {width: local_vectors(most, width, kind) for width in sorted(widths)}


def _finish(
    linear: RowGemm,
    epilogue: ir.Block,
    memory: Memory[Any],
    tile: RowTile,
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

"""Sums over the columns of a block of filters: vectors run over filters, rows share each weight.

acc[rows][filters] = 0
for each kept column of the block:
  w[filters] = load values                              weights are read once, in order
  for each row: acc[row][:] += broadcast(input[row, column]) * w[:]
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Blocks
from niwaki.targets import LINE_BYTES

from .accesses import element_bytes, load_as, load_index, load_number, pieces, prefetch
from .band_sums import band_sums
from .control import fold_range
from .indices import Index
from .vectors import float_constant, fma, splat

# A multiply-add waits for the one before it in the same sum: this many sums keep the units busy.
# (Measured with 2048 x 2048 weights, a tenth kept at any position: half the time of one sum.)
CHAINS = 8
# Columns are cut into this many parts, each with sums of its own: a core's prefetchers bring more
# of several streams of weights than of one. (Measured with 210 MB of dense weights: 26 GB/s instead
# of 20, with 8 parts 17. Blocks of one vector fill few pages, where streams end: they lost up to a
# third.)
PARTS = 4
# Bytes between the weights that are computed with and those that are asked for.
AHEAD = 2048


class Reads(NamedTuple):
    """The rows that a block's weights multiply: where each begins in a buffer."""

    buffer: ir.Value
    starts: Sequence[Index]


def vector_cuts(height: int, lanes: int) -> list[tuple[int, int]]:
    """(offset, width) of the vectors that hold `height` filters."""
    return [
        (offset + i * width, width)
        for offset, width, repeats in pieces(height, lanes)
        for i in range(repeats)
    ]


def block_sums(
    kind: ir.Type,
    arrays: Blocks[ir.Value],
    block: Index,
    cuts: Sequence[tuple[int, int]],
    reads: Reads,
    lanes: int,
    most_sums: int,
    bands: int,
) -> list[ir.Value]:
    """For each row the sums of a block's filters, as vectors of the `cuts`.

    `most_sums` vectors of sums fit registers. With several `bands` blocks keep other filters in
    each.
    """
    if bands > 1:
        return band_sums(kind, arrays, block, bands, cuts, *reads)
    first, last, value = (load_index(arrays.blocks, block * 4 + i) for i in range(1, 4))
    height = sum(width for _, width in cuts)

    def column(number: Index, accumulators: list[ir.Value]) -> list[ir.Value]:
        at = load_number(arrays.offsets, number)
        start = value + (number - first) * height
        weights = [load_as(kind, arrays.values, start + offset, width) for offset, width in cuts]
        if len(reads.starts) == 1:
            _ask_ahead(arrays.values, start, cuts)
        updated = []
        for r, begin in enumerate(reads.starts):
            taken = load_as(kind, reads.buffer, begin + at)
            for i, (_, width) in enumerate(cuts):
                updated.append(
                    fma(splat(taken, width), weights[i], accumulators[r * len(cuts) + i])
                )
        return updated

    zeros = [float_constant(0.0, kind, width) for _ in reads.starts for _, width in cuts]
    parts, turns = chains(height, len(reads.starts), lanes, most_sums)
    return _fold_in_chains(first, last, zeros, column, parts, turns)


def _ask_ahead(values: ir.Value, start: Index, cuts: Sequence[tuple[int, int]]) -> None:
    """Ask for the weights of later columns, where vectors are whole cache lines.

    Hardware follows weights to the end of a page only. (Measured with a GRU of 40 MB, and of 6 MB
    pruned, on AVX-512: 6 % less time. What several rows share is computed with for longer than it
    takes to come.)
    """
    for offset, width in cuts:
        if width * element_bytes(values) == LINE_BYTES:
            prefetch(values, start + (offset + AHEAD // element_bytes(values)))


def chains(height: int, rows: int, lanes: int, most_sums: int) -> tuple[int, int]:
    """Parts of a block's columns, and columns in turn of each, that have sums of their own."""
    vectors = -(-height // lanes)
    if vectors > 1 and PARTS * vectors * rows <= most_sums:
        return PARTS, 1
    return 1, max(1, CHAINS // (vectors * rows))


def _fold_in_chains(
    first: Index,
    last: Index,
    zeros: list[ir.Value],
    column: Callable[[Index, list[ir.Value]], list[ir.Value]],
    parts: int,
    turns: int,
) -> list[ir.Value]:
    """Sums over columns, several that do not wait for each other."""
    if parts * turns == 1:
        return fold_range(first, last, zeros, column)
    length = (last - first) // (parts * turns) * turns
    places = [(part, turn) for part in range(parts) for turn in range(turns)]

    def columns(number: Index, sums: list[ir.Value]) -> list[ir.Value]:
        added = []
        for i, (part, turn) in enumerate(places):
            of_place = sums[i * len(zeros) : (i + 1) * len(zeros)]
            added += column(number + part * length + turn, of_place)
        return added

    sums = fold_range(first, first + length, zeros * len(places), columns, step=turns)
    joined = [functools.reduce(arith.addf, sums[i :: len(zeros)]) for i in range(len(zeros))]
    return fold_range(first + length * parts, last, joined, column)

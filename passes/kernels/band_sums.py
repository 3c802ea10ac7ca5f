"""Sums over the columns of a block whose filters keep different ones: no zeros are stored.

The columns are cut into bands; in each of them some filters keep nothing at all (block-column-row
pruning removes such rows). Vectors hold the others, side by side as they are stored, and go to
their lanes once a band:

    stored in a band       a d e a d e a d e     3 columns of filters a, d, e of a b c d e f g h
    summed                 [a d e . . . . .]     lanes behind them hold what comes next in memory
    added to the block's   [a . . d e . . .]     an expanding load, of a copy on the stack

for each band:
  acc[rows][kept] = 0
  for each kept column: acc[row][:] += broadcast(input[row, column]) * load values
  for each row: sums[row][filters] += expand acc[row]

In `offsets` a band's columns stand behind how many there are, and the kept filters as bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, math, vector

from niwaki.dialects import BAND_HEAD, Blocks

from .accesses import element_bytes, load, load_as, load_index, load_number, prefetch, store
from .control import fold_range
from .indices import Index, as_value
from .local_buffers import local_numbers
from .vectors import float_constant, fma, splat

# Kept filters are so many bits, at least: fewer are no vectors of whole bytes.
LEAST_LANES = 8
# Bytes between the weights that are computed with and those that are asked for, of a single row:
# there is one stream of them. (Measured with 4 MB on AVX-512: from memory a sixth less time than
# with a quarter of it, from the third-level cache as much.)
AHEAD = 8192


def band_lanes(height: int) -> int:
    """Lanes of the vectors that hold a block of so many filters."""
    return max(LEAST_LANES, 1 << (height - 1).bit_length())


def band_sums(
    kind: ir.Type,
    arrays: Blocks[ir.Value],
    block: Index,
    bands: int,
    cuts: Sequence[tuple[int, int]],
    buffer: ir.Value,
    starts: Sequence[Index],
) -> list[ir.Value]:
    """For each row, which begins at one of `starts`, sums of a block as vectors of the `cuts`."""
    lanes = band_lanes(sum(width for _, width in cuts))
    zeros = float_constant(0.0, kind, lanes)
    room = local_numbers(lanes, kind)
    head, _, value = (load_index(arrays.blocks, block * 4 + i) for i in range(1, 4))

    def band(_: Index, carried: list[ir.Value]) -> list[ir.Value]:
        head, value, *sums = carried
        first = Index(head) + BAND_HEAD
        last = first + load_number(arrays.offsets, Index(head))
        kept = load(arrays.offsets, Index(head) + 1)
        step = _count(kept)

        def column(number: Index, carried: list[ir.Value]) -> list[ir.Value]:
            place, *added = carried
            at = load_number(arrays.offsets, number)
            weights = load_as(kind, arrays.values, place, lanes)
            if len(starts) == 1:
                prefetch(arrays.values, Index(place) + AHEAD // element_bytes(arrays.values))
            taken = [splat(load_as(kind, buffer, start + at), lanes) for start in starts]
            updated = [fma(one, weights, old) for one, old in zip(taken, added, strict=True)]
            return [as_value(Index(place) + step), *updated]

        value, *added = fold_range(first, last, [value, *[zeros] * len(starts)], column)
        mask = _lanes_of_bits(kept, lanes)
        for number, narrow in enumerate(added):
            store(narrow, room, Index(0))
            spread = vector.expandload(zeros.type, room, [as_value(0)], mask, zeros)
            sums[number] = arith.addf(sums[number], spread)
        return [as_value(last), value, *sums]

    start = [as_value(head), as_value(value), *[zeros] * len(starts)]
    _, _, *sums = fold_range(0, bands, start, band)
    return [_cut(one, offset, width) for one in sums for offset, width in cuts]


def _count(bits: ir.Value) -> Index:
    """How many bits are set."""
    return Index(arith.index_castui(ir.IndexType.get(), math.ctpop(bits)))


def _lanes_of_bits(bits: ir.Value, lanes: int) -> ir.Value:
    """The lowest `lanes` bits of a number as a mask."""
    narrow = ir.IntegerType.get_signless(lanes)
    if ir.IntegerType(bits.type).width > lanes:
        bits = arith.trunci(narrow, bits)
    single = vector.broadcast(ir.VectorType.get([1], narrow), bits)
    return vector.bitcast(ir.VectorType.get([lanes], ir.IntegerType.get_signless(1)), single)


def _cut(sums: ir.Value, offset: int, width: int) -> ir.Value:
    """Some neighbouring lanes of a vector."""
    if width == 1:
        return vector.extract(sums, [], [offset])
    if width == sums.type.shape[0]:
        return sums
    return vector.shuffle(sums, sums, [*range(offset, offset + width)])

"""Numbers in a row combined to one: sums in several vectors that do not wait for each other.

    [a b c d | e f g h | i j k l | m n o p | q r s]
      -->  a loop over four vectors at once, then single and narrower ones; lanes half with half

Pairs are combined before pairs of pairs, so that sums of many numbers stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch_mlir.ir as ir
from torch_mlir.dialects import arith
from torch_mlir.dialects import math as functions

from .accesses import pieces
from .control import fold_range
from .indices import Index
from .lanes import lane_slice
from .vectors import float_constant, lanes_of

# Vectors that are combined side by side.
CHAINS = 4

Combine = Callable[[ir.Value, ir.Value], ir.Value]
# Gets the place and the width of a vector, and gives what is combined of it.
Terms = Callable[[Index, int], list[ir.Value]]


def summed(length: int, lanes: int, kind: ir.Type, count: int, terms: Terms) -> list[ir.Value]:
    """Sums over so many places of each of `count` terms."""
    return combined(length, lanes, kind, count, terms, arith.addf, 0.0)


def combined(
    length: int,
    lanes: int,
    kind: ir.Type,
    count: int,
    terms: Terms,
    combine: Combine,
    neutral: float,
) -> list[ir.Value]:
    """What the vectors of each of `count` terms are combined to, a number each."""
    numbers: list[list[ir.Value]] = [[] for _ in range(count)]
    for offset, width, repeats in pieces(length, lanes):
        turns = repeats // CHAINS
        vectors: list[list[ir.Value]] = [[] for _ in range(count)]
        if turns > 1:
            start = [float_constant(neutral, kind, width)] * (CHAINS * count)
            chains = _chains(start, terms, combine, offset, width, turns)
            vectors = [chains[i::count] for i in range(count)]
        for number in range(turns * CHAINS if turns > 1 else 0, repeats):
            for found, term in zip(
                vectors, terms(Index(offset + number * width), width), strict=True
            ):
                found.append(term)
        for found, of_term in zip(numbers, vectors, strict=True):
            found.append(_across_lanes(_in_pairs(of_term, combine), combine))
    return [_in_pairs(found, combine) for found in numbers]


def divided(total: ir.Value, count: int) -> ir.Value:
    """A mean."""
    return arith.divf(total, float_constant(count, total.type))


def inverse_root(mean_square: ir.Value, epsilon: float) -> ir.Value:
    """1 / sqrt(mean_square + epsilon)."""
    root = functions.sqrt(arith.addf(mean_square, float_constant(epsilon, mean_square.type)))
    return arith.divf(float_constant(1.0, root.type), root)


def _chains(
    start: list[ir.Value],
    terms: Terms,
    combine: Combine,
    offset: int,
    width: int,
    turns: int,
) -> list[ir.Value]:
    """A loop over so many turns of vectors: for each of several chains its terms combined."""
    length = CHAINS * width

    def turn(number: Index, carried: list[ir.Value]) -> list[ir.Value]:
        places = [number * length + (offset + chain * width) for chain in range(CHAINS)]
        added = [term for place in places for term in terms(place, width)]
        return [combine(a, b) for a, b in zip(carried, added, strict=True)]

    return fold_range(0, turns, start, turn)


def _in_pairs(values: Sequence[ir.Value], combine: Combine) -> ir.Value:
    """All values combined, each pair before the next."""
    left = list(values)
    while len(left) > 1:
        pairs = [combine(a, b) for a, b in zip(left[::2], left[1::2], strict=False)]
        left = pairs + left[len(pairs) * 2 :]
    return left[0]


def _across_lanes(value: ir.Value, combine: Combine) -> ir.Value:
    """The lanes of a vector combined, half with half."""
    while (lanes := lanes_of(value)) > 1:
        halves = [lane_slice(value, first, lanes // 2) for first in (0, lanes // 2)]
        value = combine(*halves)
    return value

"""Normalisation of rows: a row stays in the nearest cache between its passes.

    for each row of the workgroup:
      layer      mean of x; then the mean of x - mean, which is what the first one lacks, and of its
                 square
      rms        mean of x^2
      softmax    maximum; then the sum of exponentials
      for each vector of channels: store epilogue(normalised)

    workgroup x: group of rows

Sums of a row are those of several vectors, which are added up in pairs in the end: so they are as
exact as PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith
from torch_mlir.dialects import math as functions

from niwaki.dialects import NoArrays

from ..expansions.exponentials import exp2_up_to_0
from ..expansions.values import Real
from .builder import (
    Index,
    float_constant,
    float_maximum,
    fold_range,
    for_range,
    lanes_of,
    load_as,
    minimum,
    pieces,
    splat,
)
from .epilogue import sum_type
from .filter_rows import store_rows
from .lanes import lane_slice
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces

LOG2_E = 1 / math.log(2)
# Vectors of sums that do not wait for each other.
CHAINS = 4

Combine = Callable[[ir.Value, ir.Value], ir.Value]
# Gets the first channel and the width of a vector, and gives what is combined of it.
Terms = Callable[[Index, int], list[ir.Value]]


@dataclass(frozen=True, kw_only=True)
class Normalize:
    """A normalisation as this kernel sees it.

    Attributes:
        rows, channels: sizes.
        together: rows of a workgroup.
        kind: ``layer``, ``rms`` or ``softmax``.
        epsilon: what is added to a mean of squares.
        lanes: numbers of a vector.
    """

    rows: int
    channels: int
    together: int
    kind: str
    epsilon: float
    lanes: int


def normalize_kernel(norm: Normalize, epilogue: ir.Block) -> Kernel:
    """Kernel of a `normalize`."""

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        kind = sum_type(epilogue)
        row_of = _ROWS[norm.kind](norm, kind, memory.input)
        begin = workgroup[0] * norm.together
        with for_range(begin, minimum(begin + norm.together, norm.rows)) as row:
            first = row * norm.channels
            normalised = row_of(first)

            def finish(channel: Index, width: int) -> None:
                value = normalised(channel, width)
                store_rows(epilogue, memory, value, channel, [first + channel], width)

            for_pieces(norm.channels, norm.lanes, finish)

    workgroups = (-(-norm.rows // norm.together), 1, 1)
    return Kernel("normalize", (norm, epilogue_key(epilogue)), workgroups, emit)


# Gives a row's normalised numbers, of a vector of channels.
Normalised = Callable[[Index, int], ir.Value]


def _layer(norm: Normalize, kind: ir.Type, source: ir.Value) -> Callable[[Index], Normalised]:
    """Rows of mean 0 and variance 1."""

    def row_of(first: Index) -> Normalised:
        (total,) = _summed(
            norm, kind, 1, lambda at, width: [load_as(kind, source, first + at, width)]
        )
        mean = _divided(total, norm.channels)

        def from_mean(channel: Index, width: int) -> ir.Value:
            return arith.subf(load_as(kind, source, first + channel, width), splat(mean, width))

        def terms(channel: Index, width: int) -> list[ir.Value]:
            distance = from_mean(channel, width)
            return [distance, arith.mulf(distance, distance)]

        rest, squares = (_divided(sum_, norm.channels) for sum_ in _summed(norm, kind, 2, terms))
        scale = _inverse_root(arith.subf(squares, arith.mulf(rest, rest)), norm.epsilon)

        def normalised(channel: Index, width: int) -> ir.Value:
            centred = arith.subf(from_mean(channel, width), splat(rest, width))
            return arith.mulf(centred, splat(scale, width))

        return normalised

    return row_of


def _rms(norm: Normalize, kind: ir.Type, source: ir.Value) -> Callable[[Index], Normalised]:
    """Rows whose squares have a mean of 1."""

    def row_of(first: Index) -> Normalised:
        def terms(channel: Index, width: int) -> list[ir.Value]:
            value = load_as(kind, source, first + channel, width)
            return [arith.mulf(value, value)]

        (squares,) = _summed(norm, kind, 1, terms)
        scale = _inverse_root(_divided(squares, norm.channels), norm.epsilon)

        def normalised(channel: Index, width: int) -> ir.Value:
            value = load_as(kind, source, first + channel, width)
            return arith.mulf(value, splat(scale, width))

        return normalised

    return row_of


def _softmax(norm: Normalize, kind: ir.Type, source: ir.Value) -> Callable[[Index], Normalised]:
    """Rows of exponentials, whose sum is 1; these are computed again where they are stored."""

    def row_of(first: Index) -> Normalised:
        def values(channel: Index, width: int) -> list[ir.Value]:
            return [load_as(kind, source, first + channel, width)]

        (highest,) = _combined(norm, kind, 1, values, float_maximum, float("-inf"))

        def power(channel: Index, width: int) -> ir.Value:
            (value,) = values(channel, width)
            below = Real(arith.subf(value, splat(highest, width)))
            return exp2_up_to_0(below * LOG2_E).value

        (total,) = _summed(norm, kind, 1, lambda channel, width: [power(channel, width)])

        def normalised(channel: Index, width: int) -> ir.Value:
            return arith.divf(power(channel, width), splat(total, width))

        return normalised

    return row_of


_ROWS = {"layer": _layer, "rms": _rms, "softmax": _softmax}


def _summed(norm: Normalize, kind: ir.Type, count: int, terms: Terms) -> list[ir.Value]:
    """Sums over a row of each of `count` terms."""
    return _combined(norm, kind, count, terms, arith.addf, 0.0)


def _combined(
    norm: Normalize, kind: ir.Type, count: int, terms: Terms, combine: Combine, neutral: float
) -> list[ir.Value]:
    """What a row's vectors of each of `count` terms are combined to, a number each."""
    numbers: list[list[ir.Value]] = [[] for _ in range(count)]
    for offset, width, repeats in pieces(norm.channels, norm.lanes):
        turns = repeats // CHAINS
        vectors: list[list[ir.Value]] = [[] for _ in range(count)]
        if turns > 1:
            chains = _chains(kind, count, terms, combine, neutral, offset, width, turns)
            vectors = [chains[i::count] for i in range(count)]
        for number in range(turns * CHAINS if turns > 1 else 0, repeats):
            for found, term in zip(
                vectors, terms(Index(offset + number * width), width), strict=True
            ):
                found.append(term)
        for found, of_term in zip(numbers, vectors, strict=True):
            found.append(_across_lanes(_in_pairs(of_term, combine), combine))
    return [_in_pairs(found, combine) for found in numbers]


def _chains(
    kind: ir.Type,
    count: int,
    terms: Terms,
    combine: Combine,
    neutral: float,
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

    start = [float_constant(neutral, kind, width)] * (CHAINS * count)
    return fold_range(0, turns, start, turn)


def _in_pairs(values: list[ir.Value], combine: Combine) -> ir.Value:
    """All values combined, each pair before the next."""
    while len(values) > 1:
        pairs = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[len(pairs) * 2 :]
    return values[0]


def _across_lanes(value: ir.Value, combine: Combine) -> ir.Value:
    """The lanes of a vector combined, half with half."""
    while (lanes := lanes_of(value)) > 1:
        halves = [lane_slice(value, first, lanes // 2) for first in (0, lanes // 2)]
        value = combine(*halves)
    return value


def _divided(total: ir.Value, count: int) -> ir.Value:
    return arith.divf(total, float_constant(count, total.type))


def _inverse_root(mean_square: ir.Value, epsilon: float) -> ir.Value:
    """1 / sqrt(mean_square + epsilon)."""
    root = functions.sqrt(arith.addf(mean_square, float_constant(epsilon, mean_square.type)))
    return arith.divf(float_constant(1.0, root.type), root)

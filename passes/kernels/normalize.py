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

from niwaki.dialects import NoArrays

from ..expansions.exponentials import exp2_up_to_0
from ..expansions.values import Real
from .accesses import load_as
from .combining import combined, divided, inverse_root, summed
from .control import for_range
from .epilogue import sum_type
from .filter_rows import store_rows
from .indices import Index, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces
from .vectors import float_maximum, splat

LOG2_E = 1 / math.log(2)


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
        def values(at: Index, width: int) -> list[ir.Value]:
            return [load_as(kind, source, first + at, width)]

        (total,) = summed(norm.channels, norm.lanes, kind, 1, values)
        mean = divided(total, norm.channels)

        def from_mean(channel: Index, width: int) -> ir.Value:
            return arith.subf(load_as(kind, source, first + channel, width), splat(mean, width))

        def terms(channel: Index, width: int) -> list[ir.Value]:
            distance = from_mean(channel, width)
            return [distance, arith.mulf(distance, distance)]

        sums = summed(norm.channels, norm.lanes, kind, 2, terms)
        rest, squares = (divided(total, norm.channels) for total in sums)
        scale = inverse_root(arith.subf(squares, arith.mulf(rest, rest)), norm.epsilon)

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

        (squares,) = summed(norm.channels, norm.lanes, kind, 1, terms)
        scale = inverse_root(divided(squares, norm.channels), norm.epsilon)

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

        sizes = norm.channels, norm.lanes, kind
        (highest,) = combined(*sizes, 1, values, float_maximum, float("-inf"))

        def power(channel: Index, width: int) -> ir.Value:
            (value,) = values(channel, width)
            below = Real(arith.subf(value, splat(highest, width)))
            return exp2_up_to_0(below * LOG2_E).value

        (total,) = summed(*sizes, 1, lambda channel, width: [power(channel, width)])

        def normalised(channel: Index, width: int) -> ir.Value:
            return arith.divf(power(channel, width), splat(total, width))

        return normalised

    return row_of


_ROWS = {"layer": _layer, "rms": _rms, "softmax": _softmax}

"""Squares of a matrix, loaded so that vectors run down its columns.

    a0 a1 a2 a3 ... | b0 b1 b2 b3 ... | c0 ...         rows a, b, c, ...
      loads of four side by side:
    a0 a1 a2 a3 e0 e1 e2 e3     b0 b1 b2 b3 f0 ...     c0 ...     d0 ...
      -->
    a0 b0 c0 d0 e0 f0 g0 h0     a1 b1 c1 ...           a2 ...     a3 ...

Loads place four numbers anywhere in a register. So only fours are left to transpose, which needs no
shuffles across a register and half as many as transposing it whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch_mlir.ir as ir

from .accesses import load
from .indices import Index
from .joined_vectors import joined
from .winograd_vectors import shuffle

QUAD = 4


def load_transposed(buffer: ir.Value, places: Sequence[Index]) -> list[ir.Value]:
    """The columns of a square whose rows begin at `places`, as many as four or a multiple of it."""
    columns: list[ir.Value] = []
    for begin in range(0, len(places), QUAD):
        quads = [
            joined([load(buffer, at + begin, QUAD) for at in places[row::QUAD]])
            for row in range(QUAD)
        ]
        columns += _transposed_quads(quads)
    return columns


def _transposed_quads(rows: Sequence[ir.Value]) -> list[ir.Value]:
    """Each four lanes of four vectors transposed among them."""
    low, high = (0, 1), (2, 3)
    a, b, c, d = rows
    pairs = [_zipped(x, y, half) for half in (low, high) for x, y in ((a, c), (b, d))]
    ac_low, bd_low, ac_high, bd_high = pairs
    return [
        _zipped(x, y, half)
        for x, y in ((ac_low, bd_low), (ac_high, bd_high))
        for half in (low, high)
    ]


def _zipped(a: ir.Value, b: ir.Value, half: tuple[int, int]) -> ir.Value:
    """Of each four lanes of two vectors one half, one after the other: a0 b0 a1 b1."""
    width = ir.VectorType(a.type).shape[0]
    lanes = [
        lane
        for quad in range(0, width, QUAD)
        for i in half
        for lane in (quad + i, width + quad + i)
    ]
    return shuffle(a, b, lanes)

"""Pixels by lane: vectors that cover some, and vectors over filters turned into such over pixels.

a0 b0 c0 d0 | a1 b1 c1 d1 | a2 b2 c2 d2            filters a to d in lanes, for three pixels
  -->
a0 a1 | a2       b0 b1 | b2       c0 c1 | c2       d0 d1 | d2
"""

from __future__ import annotations

from collections.abc import Iterator

import torch_mlir.ir as ir
from torch_mlir.dialects import vector

from .accesses import pieces
from .rows import overlapping
from .winograd_vectors import interleave


def pixel_loads(pixels: int, lanes: int) -> tuple[list[int], int]:
    """Where vectors begin that hold `pixels` pixels, and their width.

    The last one ends with the last pixel. (LLVM cuts a load in two whose last lane nobody needs.)
    """
    return overlapping(pixels, lanes)


def pixel_widths(pixels: int, lanes: int) -> list[int]:
    """Widths of vectors that cover `pixels` pixels: whole ones, then smaller powers of two."""
    return [width for _, width, repeats in pieces(pixels, lanes) for _ in range(repeats)]


def transposed(columns: list[ir.Value], lanes: int) -> Iterator[list[ir.Value]]:
    """For each lane of some vectors its values, as vectors of `pixel_widths`."""
    squares = []
    for first in range(0, len(columns), lanes):
        some = columns[first : first + lanes]
        # Lanes behind the last column are not taken.
        squares.append(interleave(some + some[-1:] * (lanes - len(some))))
    widths = pixel_widths(len(columns), lanes)
    starts = [sum(widths[:i]) for i in range(len(widths))]
    for lane in range(lanes):
        yield [
            lane_slice(squares[start // lanes][lane], start % lanes, width)
            for start, width in zip(starts, widths, strict=True)
        ]


def lane_slice(row: ir.Value, first: int, width: int) -> ir.Value:
    """`width` lanes of a vector, which is a scalar where it has one; a scalar for one."""
    if not isinstance(row.type, ir.VectorType) or row.type.shape[0] == width:
        return row
    if width == 1:
        return vector.extract(row, [], [first])
    return vector.shuffle(row, row, [*range(first, first + width)])

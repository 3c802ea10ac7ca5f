"""Walking the pixels of a plane row by row, and writing the zeros around them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .builder import Index, above, all_of, equal, for_range, pieces, when, when_else, zero_fill


def plain_layout(sizes: Sequence[int]) -> Planar:
    """A plain row-major tensor seen as planar: planes without halo, one after the other."""
    pitches = [1] * len(sizes)
    for axis in range(len(sizes) - 1, 0, -1):
        pitches[axis - 1] = pitches[axis] * sizes[axis]
    ones = (1,) * len(sizes)
    bare = Planar(tuple(sizes), tuple(pitches), ones, (0,), 0, 0, 0)
    return Planar(bare.sizes, bare.pitches, ones, (0,), 0, bare.extent, 0)


RowBody = Callable[[list[Index], Index], None]
# Outer indices, column, where to store, how many pixels.
PixelBody = Callable[[list[Index], Index, Index, int], None]


def write_pixels(
    buffer: ir.Value, start: Index, layout: Planar, lanes: int, pixels: PixelBody
) -> None:
    """As `write_plane`, in vectors: `pixels(outer indices, column, offset, width)` stores some.

    All rows but the last are written in whole vectors, beyond their end where they must: the zeros
    and rows that belong there are written later. Pixels beyond a row's end may hold anything.
    """
    length = layout.sizes[-1]

    def row(indices: list[Index], at: Index) -> None:
        def exactly() -> None:
            for_pieces(length, lanes, lambda i, width: pixels(indices, i, at + i, width))

        def whole_vectors() -> None:
            for_pieces(
                -(-length // lanes) * lanes,
                lanes,
                lambda i, width: pixels(indices, i, at + i, width),
            )

        if length % lanes == 0 or not _may_overrun(layout, lanes):
            exactly()
            return
        ends = [equal(i, size - 1) for i, size in zip(indices, layout.sizes, strict=False)]
        when_else(all_of(ends), exactly, whole_vectors)

    write_plane(buffer, start, layout, lanes, row)


def _may_overrun(layout: Planar, lanes: int) -> bool:
    """Whether whole vectors in all rows but the last stay within the plane."""
    outer = itertools.product(*map(range, layout.sizes[:-1]))
    *_, second_last, _ = [-1, *(layout.pixel((*indices, 0)) for indices in outer)]
    covered = -(-layout.sizes[-1] // lanes) * lanes
    return second_last >= 0 and second_last + covered <= layout.plane


def write_plane(buffer: ir.Value, start: Index, layout: Planar, lanes: int, row: RowBody) -> None:
    """Write one plane: `row(outer indices, offset)` stores pixels, this the zeros around them."""
    walk_rows(
        start, layout, row, lambda indices, at: _zero_before(buffer, indices, at, layout, lanes)
    )
    zero_fill(buffer, start + layout.extent, layout.plane - layout.extent, lanes)


def walk_rows(start: Index, layout: Planar, row: RowBody, before: RowBody | None = None) -> None:
    """Call `row(outer indices, offset)` for each row of a plane."""
    rank = len(layout.sizes)

    def walk(axis: int, indices: list[Index], at: Index) -> None:
        if axis == rank - 1:
            if before is not None:
                before(indices, at)
            row(indices, at)
            return
        with for_range(0, layout.sizes[axis]) as i:
            walk(axis + 1, [*indices, i], at + i * layout.pitches[axis])

    walk(0, [], start)


def _zero_before(
    buffer: ir.Value, indices: list[Index], at: Index, layout: Planar, lanes: int
) -> None:
    """Zeros between the end of the previous row, or slice of rows, and this one."""
    for axis in range(len(indices)):
        inner = 1 + sum(
            (s - 1) * p
            for s, p in zip(layout.sizes[axis + 1 :], layout.pitches[axis + 1 :], strict=True)
        )
        gap = layout.pitches[axis] - inner
        if gap == 0:
            continue
        # The gap belongs to the outermost loop that has just moved on: all inner ones are at their
        # start.
        moved = [above(indices[axis], 0), *(equal(index, 0) for index in indices[axis + 1 :])]
        with when(all_of(moved)):
            zero_fill(buffer, at - gap, gap, lanes)


def for_pieces(length: int, lanes: int, body: Callable[[Index, int], None]) -> None:
    """Call `body(offset, width)` for vectors that cover `length` elements exactly."""
    for offset, width, repeats in pieces(length, lanes):
        if repeats == 1:
            body(Index(offset), width)
            continue
        with for_range(0, repeats) as i:
            body(i * width + offset, width)


def zero_lead(buffer: ir.Value, layout: Planar, workgroup: Sequence[Index], lanes: int) -> None:
    """The zeros before the first plane, written by the first workgroup."""
    if layout.lead == 0:
        return
    with when(all_of([equal(number, 0) for number in workgroup])):
        zero_fill(buffer, 0, layout.lead, lanes)

"""Walking the pixels of a plane row by row, and writing the zeros around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .accesses import zero_fill
from .control import for_range, when
from .indices import Index, above, all_of, below, equal


def plain_layout(sizes: Sequence[int]) -> Planar:
    """A plain row-major tensor seen as planar: planes without halo, one after the other."""
    pitches = [1] * len(sizes)
    for axis in range(len(sizes) - 1, 0, -1):
        pitches[axis - 1] = pitches[axis] * sizes[axis]
    ones = (1,) * len(sizes)
    bare = Planar(tuple(sizes), tuple(pitches), ones, (0,), 0, 0, 0)
    return Planar(bare.sizes, bare.pitches, ones, (0,), 0, bare.extent, 0)


RowBody = Callable[[list[Index], Index], None]


def write_plane(buffer: ir.Value, start: Index, layout: Planar, lanes: int, row: RowBody) -> None:
    """Write one plane: `row(outer indices, offset)` stores pixels, this the zeros around them."""
    walk_rows(
        start, layout, row, lambda indices, at: zero_before(buffer, indices, at, layout, lanes)
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


def zero_before(
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


def in_one_row(layout: Planar, first: Index, length: int) -> ir.Value:
    """Whether `length` elements of a plane from `first` on, which is before its end, are pixels of
    one row."""
    place, conditions = first, []
    for axis, (size, pitch) in enumerate(zip(layout.sizes, layout.pitches, strict=True)):
        if axis == len(layout.sizes) - 1:
            conditions.append(below(place, size - length + 1))
        elif axis > 0:
            conditions.append(below(place // pitch, size))
        place = place % pitch
    return all_of(conditions)


def for_pieces(
    length: int, lanes: int, body: Callable[[Index, int], None], unrolled: int = 1
) -> None:
    """Call `body(offset, width)` for `overlapping` vectors of `length` elements.

    A loop over them has so many `unrolled` in its body.
    """
    starts, width = overlapping(length, lanes)
    turns = length // width // unrolled
    in_loop = turns * unrolled if turns > 1 else 0
    if in_loop:
        with for_range(0, turns) as i:
            for number in range(unrolled):
                body(i * (unrolled * width) + number * width, width)
    for start in starts[in_loop:]:
        body(Index(start), width)


def overlapping(length: int, lanes: int) -> tuple[list[int], int]:
    """Where vectors of one width begin that cover `length` elements exactly, and their width.

    The last of them ends where the elements end: it takes some a second time.
    """
    width = min(lanes, 2 ** (length.bit_length() - 1)) if length else lanes
    starts = list(range(0, length - width + 1, width))
    return [*starts, length - width] if length % width else starts, width


def zero_lead(buffer: ir.Value, layout: Planar, workgroup: Sequence[Index], lanes: int) -> None:
    """The zeros before the first plane, written by the first workgroup."""
    if layout.lead == 0:
        return
    with when(all_of([equal(number, 0) for number in workgroup])):
        zero_fill(buffer, 0, layout.lead, lanes)


def zero_ends(
    buffer: ir.Value, start: Index, planes: Any, layout: Planar, covered: int, lanes: int
) -> None:
    """Zeros from element `covered` of each plane to the next one, for `planes` from `start` on."""
    rest = layout.plane - covered
    if rest == 0:
        return
    with for_range(0, planes) as plane:
        zero_fill(buffer, start + plane * layout.plane + covered, rest, lanes)


def vector_widths(extent: int, lanes: int) -> list[int]:
    """Widths of vectors that cover `extent` elements; the last is halved while that suffices."""
    count = -(-extent // lanes)
    last, left = lanes, extent - (count - 1) * lanes
    while last > 4 and left <= last // 2:
        last //= 2
    return [lanes] * (count - 1) + [last]

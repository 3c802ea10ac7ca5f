"""Rows and columns taken by number, into any layout.

    workgroup x: channel, z: image
    for each phase of the result, for each row:
      source = row number positions[row] of the plane
      for each vector of the row: load the vector that has its pixels, or two, and shuffle

Which pixels a vector takes is known when compiling: neighbours as they are, columns that come
twice, a border in reverse. Vectors that take theirs alike are a loop. A row of too many kinds, a
sound at 1.37 times its rate, is looked up pixel by pixel.

    positions  1 0 1 2 | 3 4 5 6 | 7 6 ...       loads 0-3, 3-6, ...; shuffles [1 0 1 2], none, ...
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import vector

from niwaki.dialects import Planar, Positions

from .accesses import load, load_index, store, zero_fill
from .control import for_range, when_else
from .copy_rows import phase_shifts
from .indices import Index, all_of, below
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import overlapping, plain_layout, write_plane
from .vectors import lane_type

# Runs of a row, each with code of its own. (3,700 of a sound take IREE ten seconds.)
MOST_RUNS = 256


@dataclass(frozen=True)
class Taken:
    """A vector of a row of the result.

    Attributes:
        at: its first element's place in the row.
        starts: of one or two vectors of the source's row, which have its pixels; of as many as it
            has pixels, if these lie further apart.
        picks: which elements of these it has.
    """

    at: int
    starts: tuple[int, ...]
    picks: tuple[int, ...]

    def further(self, other: Taken) -> tuple[int, int] | None:
        """How far `other` lies behind this one in result and source; None if it is not alike."""
        steps = {b - a for a, b in zip(self.starts, other.starts, strict=False)}
        if self.picks != other.picks or len(self.starts) != len(other.starts) or len(steps) > 1:
            return None
        return other.at - self.at, steps.pop()


# How many vectors, the first of them, and steps from one to the next in result and source.
Run = tuple[int, Taken, tuple[int, int]]
# Reads a vector of the source, given where in the buffer it begins, and its width.
Read = Callable[[Index, int], ir.Value]


@dataclass(frozen=True)
class Taking:
    """Positions of planes, and where these lie.

    Attributes:
        source, result: layouts; the source is not split into phases.
        positions: of each dimension.
        lanes: numbers of a vector.
    """

    source: Planar
    result: Planar
    positions: tuple[tuple[int, ...], ...]
    lanes: int

    def write(
        self, numbers: ir.Value, read: Read, from_plane: Index, written: ir.Value, to_plane: Index
    ) -> None:
        """Write all phases of a plane; `numbers` has the positions, one behind the other."""
        for number, phase in enumerate(self.result.phases):
            end = to_plane + number * self.result.plane
            self._write_phase(phase, numbers, read, from_plane, written, end)

    def _write_phase(
        self,
        phase: int,
        numbers: ir.Value,
        read: Read,
        from_plane: Index,
        written: ir.Value,
        to_plane: Index,
    ) -> None:
        result, lanes, strides = self.result, self.lanes, self.result.strides
        shifts = phase_shifts(phase, strides)
        *present, width = (
            len(range(shift, len(own), stride))
            for shift, own, stride in zip(shifts, self.positions, strides, strict=True)
        )
        columns = self.positions[-1][shifts[-1] :: strides[-1]]
        runs = row_runs(columns, self.source.sizes[-1], lanes)
        firsts = [0, *itertools.accumulate(map(len, self.positions))]

        column = firsts[len(self.positions) - 1] + shifts[-1]

        def row(indices: list[Index], at: Index) -> None:
            def copy() -> None:
                start = from_plane
                outer = zip(indices, firsts, shifts, strides, self.source.pitches, strict=False)
                for index, first, shift, stride, pitch in outer:
                    number = load_index(numbers, index * stride + (first + shift))
                    start = start + number * pitch
                if runs is None:
                    _look_up(numbers, column, strides[-1], read, start, written, at, width)
                else:
                    _take_row(read, start, written, at, runs)
                zero_fill(written, at + width, result.sizes[-1] - width, lanes)

            is_present = [
                below(index, has)
                for index, has, size in zip(indices, present, result.sizes, strict=False)
                if has < size
            ]
            if is_present:
                size = result.sizes[-1]
                when_else(all_of(is_present), copy, lambda: zero_fill(written, at, size, lanes))
            else:
                copy()

        write_plane(written, to_plane, result, lanes, row)


def take_kernel(
    source: Planar | None,
    result: Planar | None,
    shape: Sequence[int],
    positions: Sequence[Sequence[int]],
    lanes: int,
) -> Kernel:
    """Kernel for an input of `shape`; a layout of None is plain row-major.

    It reads the positions of all dimensions, one behind the other.
    """
    images, channels, *spatial = shape
    source = source or plain_layout(spatial)
    result = result or plain_layout([len(numbers) for numbers in positions])
    taking = Taking(source, result, tuple(map(tuple, positions)), lanes)

    def emit(memory: Memory[Positions[ir.Value]], workgroup: Workgroup) -> None:
        channel, _, image = workgroup
        plane = image * channels + channel
        from_plane = plane * source.plane + source.lead
        to_plane = plane * (len(result.phases) * result.plane) + result.lead

        def read(at: Index, width: int) -> ir.Value:
            return load(memory.input, at, width)

        taking.write(memory.arrays.positions, read, from_plane, memory.result, to_plane)

    return Kernel("take_rows", (taking,), (channels, 1, images), emit, source, result)


def row_vectors(columns: Sequence[int], size: int, lanes: int) -> list[Taken]:
    """The vectors of a row that takes these of `size` columns; the last may take some again."""
    starts, width = overlapping(len(columns), min(lanes, 1 << (size.bit_length() - 1)))
    return [_vector(at, columns[at : at + width], size) for at in starts]


def _vector(at: int, columns: Sequence[int], size: int) -> Taken:
    width, low, high = len(columns), min(columns), max(columns)
    first, second = min(low, size - width), max(high + 1 - width, 0)
    if high - first < width:
        return Taken(at, (first,), tuple(column - first for column in columns))
    if second - first <= width:
        picks = [c - first if c - first < width else width + c - second for c in columns]
        return Taken(at, (first, second), tuple(picks))
    return Taken(at, tuple(columns), ())


def row_runs(columns: Sequence[int], size: int, lanes: int) -> list[Run] | None:
    """Vectors that are alike, together; None where there would be too many."""
    runs = _alike(row_vectors(columns, size, lanes))
    return runs if len(runs) <= MOST_RUNS else None


def _take_row(read: Read, start: Index, written: ir.Value, at: Index, runs: Sequence[Run]) -> None:
    """A row of the result."""
    for count, one, (forward, along) in runs:
        if count == 1:
            store(_taken(read, start, one), written, at + one.at)
            continue
        with for_range(0, count) as turn:
            value = _taken(read, start + turn * along, one)
            store(value, written, at + turn * forward + one.at)


def _look_up(
    numbers: ir.Value,
    first: int,
    stride: int,
    read: Read,
    start: Index,
    written: ir.Value,
    at: Index,
    width: int,
) -> None:
    """The same pixel by pixel: `numbers` has the first one's column at `first`."""
    with for_range(0, width) as place:
        number = load_index(numbers, place * stride + first)
        store(read(start + number, 1), written, at + place)


def _alike(vectors: Sequence[Taken]) -> list[Run]:
    """Runs of vectors that differ in where they lie: how many, the first, steps between them."""
    runs: list[Run] = []
    last: Taken | None = None
    for one in vectors:
        steps = last and last.further(one)
        if steps and (runs[-1][0] == 1 or runs[-1][2] == steps):
            runs[-1] = (runs[-1][0] + 1, runs[-1][1], steps)
        else:
            runs.append((1, one, (0, 0)))
        last = one
    return runs


def _taken(read: Read, start: Index, one: Taken) -> ir.Value:
    """A vector of pixels, or a single one."""
    width = len(one.picks) or len(one.starts)
    if not one.picks:
        single = [read(start + place, 1) for place in one.starts]
        return vector.from_elements(lane_type(single[0].type, width), single)
    loaded = [read(start + place, width) for place in one.starts]
    if one.picks == tuple(range(width)):
        return loaded[0]
    return vector.shuffle(loaded[0], loaded[-1], list(one.picks))

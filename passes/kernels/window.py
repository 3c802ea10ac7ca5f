"""Loops over the taps of a large window, which written out would be code that grows with it.

31x31 taps --> for row in 31: 31 taps, each time a pitch further
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from .control import fold_range
from .indices import Index

# Taps that are written out. Their weights fill the registers twice.
MOST_TAPS = 64

# Adds some taps to the sums: gets the number of the first one and how far all have moved.
AddTaps = Callable[["Taps", Index, Index, list[ir.Value]], list[ir.Value]]


@dataclass(frozen=True)
class Repeat:
    """So many times, each so many taps further and at such a distance from the one before."""

    count: int
    taps: int
    distance: int


@dataclass(frozen=True)
class Taps:
    """Taps that are written out, and loops around them.

    Attributes:
        first: number of the first.
        distances: of each, the first time.
        repeats: from the outermost loop on.
    """

    first: int
    distances: tuple[int, ...]
    repeats: tuple[Repeat, ...] = ()


def window_taps(distances: Sequence[int], most: int = MOST_TAPS) -> list[Taps]:
    """All taps of a window: written out if they are few, else in loops around at most `most`."""
    return _taps(0, tuple(distances), most if len(distances) > MOST_TAPS else MOST_TAPS)


def add_window(parts: Sequence[Taps], sums: list[ir.Value], add: AddTaps) -> list[ir.Value]:
    """The sums of all taps."""
    for part in parts:
        sums = _in_loops(part, part.repeats, Index(part.first), Index(0), sums, add)
    return sums


def tap_weights(
    parts: Sequence[Taps], load: Callable[[Index, int], list[ir.Value]]
) -> Callable[[Taps, Index], list[ir.Value]]:
    """Gives the weights of taps, the first of which has a number now known; `load` loads so many.

    Unless there are loops all are loaded now, once.
    """
    if any(part.repeats for part in parts):
        return lambda part, first: load(first, len(part.distances))
    loaded = {part: load(Index(part.first), len(part.distances)) for part in parts}
    return lambda part, _: loaded[part]


def _taps(first: int, distances: tuple[int, ...], most: int) -> list[Taps]:
    count = len(distances)
    if count <= most:
        return [Taps(first, distances)] if count else []
    inner = _period(distances, most)
    if inner is None:  # no window is so irregular that it has none
        return [Taps(first, distances)]
    times = count // inner
    repeat = Repeat(times, inner, distances[inner] - distances[0])
    looped = [
        Taps(part.first, part.distances, (repeat, *part.repeats))
        for part in _taps(first, distances[:inner], most)
    ]
    return looped + _taps(first + times * inner, distances[times * inner :], most)


def _period(distances: tuple[int, ...], most: int) -> int | None:
    """After how many taps the same come again, moved by the same distance each time.

    Best are as many as may be written out, with none left over; else the fewest that are too many,
    which then are cut themselves.
    """
    count = len(distances)
    few = range(min(most, count // 2), 1, -1)
    exact = [inner for inner in few if count % inner == 0]
    uneven = [inner for inner in few if count % inner]
    longer = range(most + 1, count // 2 + 1)
    return next((i for i in (*exact, *uneven, *longer) if _comes_again(distances, i)), None)


def _comes_again(distances: tuple[int, ...], inner: int) -> bool:
    step = distances[inner] - distances[0]
    whole = len(distances) // inner * inner
    return all(distances[i] - distances[i - inner] == step for i in range(inner, whole))


def _in_loops(
    part: Taps,
    repeats: tuple[Repeat, ...],
    tap: Index,
    moved: Index,
    sums: list[ir.Value],
    add: AddTaps,
) -> list[ir.Value]:
    if not repeats:
        return add(part, tap, moved, sums)
    repeat, *inner = repeats

    def once(number: Index, carried: list[ir.Value]) -> list[ir.Value]:
        further = tap + number * repeat.taps, moved + number * repeat.distance
        return _in_loops(part, tuple(inner), *further, carried, add)

    return fold_range(0, repeat.count, sums, once)

"""Vectors for neighbouring taps, cut from few loads.

    taps -1, 0, 1 of pixels 0 to 31, in vectors of 16
      -->
    a, b, c = input[-1..14], input[15..30], input[17..32]      three loads instead of six
    tap -1: a, b    tap 0: shuffle(a, b), shuffle(b, c)    tap 1: shuffle(a, b), c

A vector as long as a cache line that does not begin where a line does touches two of them, and
takes twice the time to load; a shuffle takes half of that. Shorter vectors mostly lie within one
line, and are loaded for each tap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import torch_mlir.ir as ir
from torch_mlir.dialects import vector

from .vectors import every_second, join_strided


class EverySecond:
    """Every second element of a row, for neighbouring taps.

        taps 0, 1, 2 of pixels 0 to 7, in vectors of 4
          -->
        a, b, c, d = input[0..3], input[4..7], input[8..11], input[12..15]
        tap 0: even(a, b), even(c, d)    tap 1: odd(a, b), odd(c, d)
        tap 2: shuffle(even(a, b), even(c, d)), and for the last pixels loads of its own

    Arguments:
        load_at: loads `lanes` elements from a position on.
        starts: pixels with which vectors begin; a tap reads two elements further for the next one.
        taps: where each reads for pixel 0.
        lanes: of a vector, 2 or more.
    """

    def __init__(
        self,
        load_at: Callable[[int], ir.Value],
        starts: Sequence[int],
        taps: Sequence[int],
        lanes: int,
    ) -> None:
        self._load_at, self._starts, self._lanes = load_at, starts, lanes
        self._first_of_two: set[int] = set()
        for tap in sorted(taps):
            if tap + 1 in taps and tap - 1 not in self._first_of_two:
                self._first_of_two.add(tap)
        self._known: dict[tuple[int, int], ir.Value] = {}

    def at(self, tap: int, start: int) -> ir.Value:
        """What a tap reads for the vector of pixels from `start` on."""
        if (start, tap) not in self._known:
            self._find(start, tap)
        return self._known[start, tap]

    def _find(self, start: int, tap: int) -> None:
        lanes, follows = self._lanes, start + self._lanes
        if tap in self._first_of_two or tap - 1 in self._first_of_two:
            first = tap if tap in self._first_of_two else tap - 1
            parts = [self._load_at(2 * start + first + i * lanes) for i in range(2)]
            for odd in range(2):
                self._known[start, first + odd] = every_second(parts, odd)
        elif tap - 2 in self._first_of_two and follows in self._starts:
            near = self.at(tap - 2, start), self.at(tap - 2, follows)
            self._known[start, tap] = vector.shuffle(*near, [*range(1, lanes + 1)])
        else:
            # The second vector ends with the last element wanted.
            parts = [self._load_at(2 * start + tap + i * (lanes - 1)) for i in range(2)]
            self._known[start, tap] = join_strided(parts, 2, lanes)


class Slices:
    """Consecutive elements of a row, at any of a few shifts from given starts.

    Arguments:
        load_at: loads `lanes` elements from a position on.
        starts: ascending, no further apart than `lanes`.
        shifts: no further apart than `lanes`.
    """

    def __init__(
        self,
        load_at: Callable[[int], ir.Value],
        starts: Sequence[int],
        shifts: Sequence[int],
        lanes: int,
    ) -> None:
        assert max(shifts) - min(shifts) <= lanes
        self.lanes = lanes
        # The last vector ends with the last element wanted: nothing past it is read.
        self.positions = sorted(
            {*(start + min(shifts) for start in starts), starts[-1] + max(shifts)}
        )
        self.loaded = [load_at(position) for position in self.positions]

    def at(self, position: int) -> ir.Value:
        """Elements from `position`, a start and a shift, on."""
        i = bisect_right(self.positions, position) - 1
        distance = position - self.positions[i]
        if distance == 0:
            return self.loaded[i]
        overlap = self.lanes - (self.positions[i + 1] - self.positions[i])
        picks = range(distance, distance + self.lanes)
        return vector.shuffle(
            self.loaded[i],
            self.loaded[i + 1],
            [pick if pick < self.lanes else pick + overlap for pick in picks],
        )


def near_taps(distances: Sequence[int], width: int) -> list[list[int]]:
    """Numbers of taps, grouped so that those of one group can be cut from the same loads.

    These are vectors of `width` elements; 0 puts each tap into a group of its own.
    """
    groups: list[list[int]] = []
    for tap in sorted(range(len(distances)), key=lambda tap: distances[tap]):
        if groups and distances[tap] - distances[groups[-1][0]] <= width:
            groups[-1].append(tap)
        else:
            groups.append([tap])
    return groups


def by_remainder(taps: Sequence[int], distances: Sequence[int], stride: int) -> list[list[int]]:
    """Taps split into those whose distances differ by multiples of the stride, ascending."""
    classes: dict[int, list[int]] = {}
    for tap in taps:
        classes.setdefault(distances[tap] % stride, []).append(tap)
    return list(classes.values())

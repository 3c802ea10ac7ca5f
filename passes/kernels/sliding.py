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

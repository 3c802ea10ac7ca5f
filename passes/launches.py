"""Launch no more workgroups along an axis than every GPU takes.

140000 x 3 x 1 workgroups, at most 65535 along each axis
  -->
60000 x 7 x 1 are launched; number n = x + 60000 * y of them takes the place of workgroup
n mod 140000, n / 140000, and does nothing from 420000 on
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .kernels.indices import Index


class Place(NamedTuple):
    """Which workgroup of a kernel's grid one that runs is.

    Attributes:
        numbers: along x, y and z.
        number: among all that run, where more run than the grid has; None if each has a place.
    """

    numbers: list[Index]
    number: Index | None


class Launch(NamedTuple):
    """How a kernel's grid is launched.

    Attributes:
        grid: workgroups along x, y and z, as the kernel sees them.
        workgroups: those that are launched, at least as many in all.
    """

    grid: tuple[int, ...]
    workgroups: tuple[int, ...]

    @property
    def total(self) -> int:
        """Workgroups of the grid."""
        return math.prod(self.grid)

    def place(self, asked: Sequence[Index]) -> Place:
        """That of the workgroup with the numbers `asked` of those launched."""
        if self.workgroups == self.grid:
            return Place(list(asked), None)
        (width, height, _), (x, y, z) = self.workgroups, asked
        number = (z * height + y) * width + x
        columns, rows, _ = self.grid
        numbers = [number % columns, number // columns % rows, number // (columns * rows)]
        return Place(numbers, None if math.prod(self.workgroups) == self.total else number)


def launched(grid: Sequence[int], most: int) -> Launch:
    """The launch of a grid with at most `most` workgroups along each axis; 0 sets no limit."""
    if most == 0 or max(grid) <= most:
        return Launch(tuple(grid), tuple(grid))
    rows = -(-math.prod(grid) // most)
    width, depth = -(-math.prod(grid) // rows), -(-rows // most)
    return Launch(tuple(grid), (width, -(-rows // depth), depth))

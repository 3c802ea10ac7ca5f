"""Phases of a strided convolution's input, and which products of Winograd's algorithm are zero.

A convolution of 7x7 with stride 2 has squares of 4x4 taps on the phases of its input, and in one of
two phases three taps in a row. The product at the point infinity is the last tap's: where that is
none it is zero, if the square is moved so that the taps begin in its first column. So kernels take
planes in the order in which those that they need are neighbours, whatever the point:

    taps                      4 rows, 3 columns | 4 x 4 | 3 rows, 4 columns | 3 x 3
    points of the last row    ---------------------------
    of the last column                            ---------------------------
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from niwaki.dialects import SquareWindow


@dataclass(frozen=True)
class Phase:
    """The taps of a phase of the input.

    Attributes:
        number: of the phase among those that the input has.
        moved: rows and columns by which its square is moved.
        fills: whether taps reach the last row of the square, and its last column.
    """

    number: int
    moved: tuple[int, int]
    fills: tuple[bool, bool]

    @property
    def order(self) -> tuple[bool, bool]:
        """What phases are sorted by."""
        rows, columns = self.fills
        return not rows, columns == rows


def phases_of(window: SquareWindow, numbers: Sequence[int]) -> tuple[Phase, ...]:
    """Those of an input that has phases of these numbers, in the order of a kernel's planes."""
    phases = [_phase(window, at, number) for at, number in enumerate(numbers)]
    return tuple(sorted(phases, key=lambda phase: phase.order))


def _phase(window: SquareWindow, at: int, number: int) -> Phase:
    taps = [(row, column) for phase, _, row, column in window.places if phase == number]
    rows, columns = ((min(axis), max(axis)) for axis in zip(*taps, strict=True))
    fills = [last - first == window.taps - 1 for first, last in (rows, columns)]
    return Phase(at, (rows[0], columns[0]), (fills[0], fills[1]))

"""Which trials are worth having, and how good a set of them is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Point(Protocol):
    """What was saved and what was lost by it."""

    @property
    def saved(self) -> float: ...

    @property
    def lost(self) -> float: ...


PointType = TypeVar("PointType", bound=Point)


def pareto_front(points: Iterable[PointType]) -> list[PointType]:
    """Those of which no other saves as much and loses less, by what they lose."""
    front: list[PointType] = []
    for point in sorted(points, key=lambda point: (point.lost, -point.saved)):
        if not front or point.saved > front[-1].saved:
            front.append(point)
    return front


def hypervolume(points: Iterable[Point], most_lost: float) -> float:
    """What points dominate of all that saves 0 to 1 and loses up to `most_lost`, as a share.

    A loss below 0, where the network became better, counts as none.
    """
    area, saved = 0.0, 0.0
    for point in pareto_front(points):
        if point.lost >= most_lost:
            break
        gained = max(0.0, point.saved) - saved
        area += max(0.0, gained) * (1 - max(0.0, point.lost) / most_lost)
        saved = max(saved, point.saved)
    return area

"""What a device computes in one go: units between the moments in which it hands over to others.

gpu   stem, left      -->  gpu  [stem] [left]      cpu waits for the stem alone, and left's
cpu   right, head          cpu  [right] [head]     result is waited for by the head alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .timeline import Timeline, Unit


@dataclass(frozen=True)
class Run:
    """Units that a device computes in one go.

    Attributes:
        device: its number.
        units: in the order of the network.
        begin, end: seconds, as planned.
    """

    device: int
    units: tuple[int, ...]
    begin: float
    end: float


def runs(units: Sequence[Unit], places: Sequence[int], timeline: Timeline) -> list[Run]:
    """Each reads what runs before it give; those of a device follow one another in this order."""
    leaves = _leaving(units, places)
    found: list[Run] = []
    last: dict[int, int] = {}  # of each device, its run that goes on
    waited: dict[int, set[int]] = {}
    for step in timeline.steps:
        device = step.device
        foreign = {read for read in units[step.unit].reads if places[read] != device}
        if device in last and foreign <= waited[device]:
            run = found[last[device]]
            found[last[device]] = Run(device, (*run.units, step.unit), run.begin, step.end)
        else:
            last[device], waited[device] = len(found), foreign
            found.append(Run(device, (step.unit,), step.begin, step.end))
        if step.unit in leaves:
            del last[device]
    return [Run(one.device, tuple(sorted(one.units)), one.begin, one.end) for one in found]


def _leaving(units: Sequence[Unit], places: Sequence[int]) -> set[int]:
    """Units whose results another device reads."""
    return {
        read
        for number, unit in enumerate(units)
        for read in unit.reads
        if places[read] != places[number]
    }

"""Which device computes which unit, so that the network's result is there as early as can be.

Few units are tried in all places. With more, the search begins with each device alone, with each
unit where it is fastest itself, and with each where it ends first after those before it. From there
it moves what makes the network faster to another device until nothing does: a unit, a chain of them
(a branch, say), or units that stand one behind another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from .timeline import Device, Simulation, Timeline, Unit

# Plans to try one by one.
FEW = 4096
# Units of which all neighbours are moved together.
MANY = 64
# A plan must be this much faster than one with fewer moves to be taken for it.
GAIN = 1e-3


def plan(
    units: Sequence[Unit], devices: Sequence[Device], fixed: Mapping[int, int] | None = None
) -> tuple[list[int], Timeline]:
    """The device of each unit, and when each runs.

    Args:
        units: each reads only such as stand before it.
        fixed: units whose device is given.
    """
    fixed, simulation = fixed or {}, Simulation(units, devices)
    open_units = [number for number in range(len(units)) if number not in fixed]
    alone = [_placed(units, device, fixed) for device in range(len(devices))]
    if len(devices) ** len(open_units) <= FEW:
        tried: Iterable[list[int]] = (
            _moved(alone[0], dict(zip(open_units, places, strict=True)))
            for places in product(range(len(devices)), repeat=len(open_units))
        )
        best, timeline = _first_best(simulation, [*alone, *tried])
        return best, timeline
    starts = (*alone, _fastest(units, fixed), _greedy(units, devices, fixed))
    return min(
        (_improved(simulation, places, fixed) for places in starts), key=lambda one: one[1].seconds
    )


def _fastest(units: Sequence[Unit], fixed: Mapping[int, int]) -> list[int]:
    """Each unit where it takes least time."""
    fastest = {number: one.seconds.index(min(one.seconds)) for number, one in enumerate(units)}
    return _placed(units, 0, {**fastest, **fixed})


def _greedy(
    units: Sequence[Unit], devices: Sequence[Device], fixed: Mapping[int, int]
) -> list[int]:
    """Each unit where it ends first, one after another."""
    places: list[int] = []
    for number in range(len(units)):
        begun = Simulation(units[: number + 1], devices)

        def end(device: int, number: int = number, begun: Simulation = begun) -> float:
            steps = begun.run([*places, device]).steps
            return next(step.end for step in steps if step.unit == number)

        device = fixed.get(number)
        places.append(min(range(len(devices)), key=end) if device is None else device)
    return places


def _improved(
    simulation: Simulation, places: list[int], fixed: Mapping[int, int]
) -> tuple[list[int], Timeline]:
    """A plan that no move makes faster."""
    best, timeline = places, simulation.run(places)
    groups, found = list(_groups(simulation)), True
    while found:
        found = False
        for group in groups:
            for device in range(len(simulation.devices)):
                moved = _moved(best, {one: device for one in group if one not in fixed})
                if moved == best:
                    continue
                other = simulation.run(moved)
                if other.seconds < timeline.seconds * (1 - GAIN):
                    best, timeline, found = moved, other, True
    return best, timeline


def _first_best(simulation: Simulation, tried: Iterable[list[int]]) -> tuple[list[int], Timeline]:
    """The first plan than which none that follows is much faster."""
    found: tuple[list[int], Timeline] | None = None
    for places in tried:
        timeline = simulation.run(places)
        if found is None or timeline.seconds < found[1].seconds * (1 - GAIN):
            found = places, timeline
    assert found is not None, "there are devices"
    return found


def _placed(units: Sequence[Unit], device: int, fixed: Mapping[int, int]) -> list[int]:
    return [fixed.get(number, device) for number in range(len(units))]


def _moved(places: Sequence[int], others: Mapping[int, int]) -> list[int]:
    return [others.get(number, place) for number, place in enumerate(places)]


def _groups(simulation: Simulation) -> Iterator[Sequence[int]]:
    """Units that are moved together."""
    everything = range(len(simulation.units))
    last = everything.stop
    yield from (chain for chain in chains(simulation) if len(chain) > 1)
    for begin in everything:
        yield [begin]
        # Of many, those that reach the network's first or last unit.
        ends = range(begin + 2, last + 1) if last <= MANY or not begin else (last,)
        yield from (everything[begin:end] for end in ends)


def chains(simulation: Simulation) -> list[list[int]]:
    """Units each of which is read by the next alone, which reads nothing else."""
    found: dict[int, list[int]] = {}
    for number, unit in enumerate(simulation.units):
        is_next = len(unit.reads) == 1 and len(simulation.readers[unit.reads[0]]) == 1
        chain = found[unit.reads[0]] if is_next else []
        chain.append(number)
        found[number] = chain
    return list({id(chain): chain for chain in found.values()}.values())

"""How to come within limits that chance does not meet.

Of a hundred layers that are to take a tenth of their time, hardly a random point is quick enough.
So a rejected point is led towards one that is, only as far as it must: it then lies just within the
limits, where the best ones are.
"""

from __future__ import annotations

import random

from niwaki.errors import NiwakiError

from .limits import Limits
from .space import Point, Space, short, told

# Values of a number that are tried; a cost rarely has its least in between.
RUNGS = 9
# A value may cost less once others have changed.
PASSES = 4


def within_limits(space: Space, limits: Limits, start: Point) -> Point:
    """A point within the limits: from `start` one value after the other is taken that costs least.

    Raises:
        NiwakiError: there is none; it says how near it came, and what costs most.
    """
    best, least = dict(start), _weight(limits, start)
    for _ in range(PASSES):
        before = least
        for name, dimension in space.items():
            for value in dimension.ladder(RUNGS):
                other = {**best, name: value}
                # Equal is better, too: a rate may cost less only once a scheme has changed.
                if (weight := _weight(limits, other)) <= least:
                    best, least = other, weight
            if not least[0]:
                return best
        if least == before:
            break
    raise NiwakiError(_unreachable(space, limits, best))


def led(limits: Limits, start: Point, goal: Point, generator: random.Random) -> Point:
    """`start` with as few values of `goal`, which is within the limits, as it needs to be, too."""
    names = [name for name in start if start[name] != goal[name]]
    generator.shuffle(names)

    def after(steps: int) -> Point:
        return {**start, **{name: goal[name] for name in names[:steps]}}

    outside, inside = 0, len(names)
    while inside - outside > 1:
        middle = (outside + inside) // 2
        if limits.allow(limits.costs(after(middle))):
            inside = middle
        else:
            outside = middle
    return after(inside)


def _weight(limits: Limits, point: Point) -> tuple[float, float]:
    """What to make less: what is above limits, then all of what is limited."""
    excess = limits.excess(limits.costs(point))
    return sum(max(share, 0.0) for share in excess), sum(excess)


def _unreachable(space: Space, limits: Limits, best: Point) -> str:
    """The one line that says which limit is out of reach, and why."""
    costs = limits.costs(best)
    limit = next(one for one in limits.limits if one.most and costs[one.name] > one.most)
    line = (
        f"no point is within the limit '{limit.name}' of {short(limit.most)}: the least found is "
        f"{short(costs[limit.name])}, at {told(best)}"
    )
    parts = limit.parts(best)
    if len(parts) > 1:
        part = max(parts, key=lambda name: parts[name])
        return f"{line}; of it '{part}' costs most, {short(parts[part])}"

    def spread(name: str) -> float:
        return max(
            limits.costs({**best, name: value})[limit.name] for value in space[name].ladder(RUNGS)
        )

    dimension = max(space, key=spread)
    return f"{line}; '{dimension}' matters most, up to {short(spread(dimension))}"

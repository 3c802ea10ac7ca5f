"""Which kernels of a layer to measure, in which order.

Those of the shortest estimates come first. From there NSGA-II (Deb et al. 2002, as Optuna has it)
crosses and mutates what was fast; where that gives nothing better, it starts again at random.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from niwaki.passes.choice import Candidate

# Estimates are off by less: what should take longer than this many times the best is left out.
WORTH_MEASURING = 2.0
POPULATION = 8

# Times of some candidates, given by their numbers; infinite for those that failed.
Measure = Callable[[Sequence[int]], dict[int, float]]


def search(found: Sequence[Candidate], measure: Measure, trials: int) -> dict[int, float]:
    """Times of at most `trials` candidates, by their numbers in `found`.

    Candidates differ. The same ones and the same times give the same search.
    """
    ranked = sorted(range(len(found)), key=lambda number: found[number].seconds)
    longest = WORTH_MEASURING * found[ranked[0]].seconds
    worth = [number for number in ranked if found[number].seconds <= longest]
    if len(worth) <= trials:
        return measure(worth)
    return genetic_search({number: found[number] for number in worth}, measure, trials)


def genetic_search(found: dict[int, Candidate], measure: Measure, trials: int) -> dict[int, float]:
    """As `search`, of candidates that are more than `trials`, those to start with first."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=0)
    study = optuna.create_study(sampler=sampler)
    points = {number: point(candidate) for number, candidate in found.items()}
    choices = {
        name: sorted({place[name] for place in points.values() if name in place})
        for name in {name: None for place in points.values() for name in place}
    }
    space = {
        name: optuna.distributions.CategoricalDistribution(values)
        for name, values in choices.items()
    }
    generator = random.Random(0)
    times: dict[int, float] = {}
    start = starting_points(found)
    while len(times) < trials:
        fastest = min(times.values(), default=math.inf)
        for number in start:
            # A tile of another family may have fewer numbers.
            rest = {name: values[0] for name, values in choices.items()}
            study.enqueue_trial({**rest, **points[number]})
        asked = [study.ask(space) for _ in range(POPULATION)]
        numbers = [nearest(points, trial.params) for trial in asked]
        new = [number for number in dict.fromkeys(numbers) if number not in times]
        times |= measure(new[: trials - len(times)])
        for trial, number in zip(asked, numbers, strict=True):
            seconds = times.get(number, math.inf)
            if math.isinf(seconds):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, seconds)
        left = [number for number in found if number not in times]
        improved = min(times.values()) < fastest
        start = [] if improved else generator.sample(left, min(POPULATION, len(left)))
    return times


def starting_points(found: dict[int, Candidate]) -> list[int]:
    """The first ones, each with another tile of filters and pixels.

    The last numbers of a tile say how threads share the work, which matters less.
    """
    first: dict[Any, int] = {}
    for number, candidate in found.items():
        kernel = candidate.kernel
        first.setdefault((candidate.scheme, kernel.attr_name, kernel.tile[:2]), number)
    return list(first.values())[:POPULATION]


def point(candidate: Candidate) -> dict[str, Any]:
    """Where a candidate is in the space of the search: its family, and its tile's numbers."""
    kind = f"{candidate.scheme} {candidate.kernel.attr_name}"
    return {"kind": kind, **{f"tile{i}": size for i, size in enumerate(candidate.kernel.tile)}}


def nearest(points: dict[int, dict[str, Any]], wanted: dict[str, Any]) -> int:
    """The candidate of the wanted kind whose tile is most like the wanted one."""

    def distance(number: int) -> float:
        place = points[number]
        sizes = [name for name in place if name != "kind"]
        return sum(abs(math.log2(place[name] / wanted[name])) for name in sizes)

    return min((n for n, place in points.items() if place["kind"] == wanted["kind"]), key=distance)

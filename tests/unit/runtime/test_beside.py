"""Networks timed in turns; here a made-up machine, with neighbours that come and go."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import niwaki
from niwaki.runtime.beside import (
    CALLS,
    FEWEST,
    MOST,
    TURNS,
    WARMUP,
    in_turns,
    seconds_of,
    share_of,
    steady,
)

ONE, OTHER = 0.7e-3, 1.8e-3
SLICE = 4e-3


class Machine:
    """Whose clock wanders by a tenth within seconds, and which is shared in slices of time.

    Caches are the neighbour's after its slice, which costs a network half a call.
    """

    def __init__(self, seed: int, busy: float) -> None:
        self._random = random.Random(seed)
        self._busy = busy  # share of calls in which the neighbour takes a slice, for 1 ms
        self._slow = 1.0

    def caller(self, seconds: float) -> Callable[[], float]:
        place = 1 + self._random.uniform(0, 0.01)  # where in memory the network lies

        def call() -> float:
            self._slow = min(1.1, max(1.0, self._slow + self._random.uniform(-1e-3, 1e-3)))
            took = place * seconds * self._slow * (1 + abs(self._random.gauss(0, 0.005)))
            if self._random.random() < min(1.0, self._busy * seconds * 1e3):
                took += SLICE + 0.5 * seconds
            return took

        return call

    def visits(self, *seconds: float) -> Iterator[list[float]]:
        while True:
            yield in_turns([self.caller(one) for one in seconds])


@pytest.mark.parametrize("busy", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(8))
def test_what_a_neighbour_takes_is_not_the_networks(busy: float, seed: int) -> None:
    machine = Machine(seed, busy)
    share = steady(one / other for one, other in machine.visits(ONE, OTHER))
    assert share == pytest.approx(ONE / OTHER, rel=0.01)


def test_more_visits_where_they_differ() -> None:
    """Until the median is known, and not for ever."""

    def asked(values: Iterator[float]) -> int:
        taken = []

        def noted() -> Iterator[float]:
            for value in values:
                taken.append(value)
                yield value

        steady(noted())
        return len(taken)

    def within(share: float) -> Iterator[float]:
        source = random.Random(0)
        while True:
            yield source.uniform(1 - share, 1 + share)

    assert asked(within(0.001)) == FEWEST
    assert FEWEST < asked(within(0.015)) < MOST
    assert asked(within(0.2)) == MOST


def test_first_calls_of_a_turn_do_not_count() -> None:
    """They are slow as a rule; if one is fast it is so by what a turn before has left."""
    told = iter([1.0] * WARMUP + [3.0] * CALLS for _ in range(TURNS))
    calls = iter([each for turn in told for each in turn])
    assert in_turns([lambda: next(calls)]) == [3.0]


def test_bundles_are_timed(affine_path: Path) -> None:
    bundle = niwaki.load(affine_path).bundle
    assert seconds_of(bundle) > 0
    assert share_of(bundle, bundle) > 0

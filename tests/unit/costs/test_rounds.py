"""A network is trained anew for its limit only where it is too slow each time it is timed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.time_limit.kept_settings import KeptSettings
from niwaki.time_limit.rounds import CORRECTIONS, LOOKS, train_within
from niwaki.time_limit.task import Trained

LIMIT, FAST, SLOW = 1.0, 0.97, 1.15


class CountedTrainings:
    """Rates that are settled at once; `wanted` has the limits that were asked for."""

    def __init__(self) -> None:
        self.wanted: list[float] = []

    def choose(self, limit: float, aim: float) -> tuple[dict[str, Setting], float]:
        self.wanted.append(limit)
        return {"0": Setting("filter", 2.0)}, FAST

    def trained(self, settings: dict[str, Setting], before: float, limit: float) -> Trained:
        return Trained(nn.Linear(2, 2), settings, before)


def within(told: Sequence[float]) -> tuple[list[float], float]:
    """Limits that were trained for, and the time in the end, of a clock that tells these times."""
    rates, clock = CountedTrainings(), iter(told)
    kept = KeptSettings(None, {})
    _, seconds = train_within(rates, lambda _: next(clock), kept, None, LIMIT, 1.0, 0.0)
    assert not list(clock)
    return rates.wanted, seconds


@pytest.mark.parametrize("slow", range(LOOKS))
def test_slow_moments_train_nothing_anew(slow: int) -> None:
    assert within([*[SLOW] * slow, FAST]) == ([LIMIT], FAST)


def test_what_is_slow_each_time_is_trained_anew() -> None:
    """For a limit that is lower by what it was above, the least time it took."""
    wanted, seconds = within([*[SLOW] * (LOOKS - 1), 1.1, FAST])
    assert wanted == [LIMIT, pytest.approx(LIMIT / 1.1)]
    assert seconds == FAST


def test_what_stays_slow_is_told() -> None:
    told: Any = [SLOW] * LOOKS * (1 + CORRECTIONS)
    with pytest.raises(NiwakiError, match=r"took 970 ms before training and 1\.15e\+03 ms after"):
        within(told)

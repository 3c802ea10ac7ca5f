"""Times of calls, and how to compare those of two engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """How many times longer one takes than the other.

    Attributes:
        median: ratio of the medians of all calls.
        low, high: 10th and 90th percentile of the ratios that the rounds give one by one.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Times:
    """Seconds of single calls, ``rounds[i][j]``: call j in round i."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def median(self) -> float:
        return float(np.median(self.rounds))

    @property
    def p10(self) -> float:
        """What a call takes when nothing disturbs it. A minimum would be one lucky call."""
        return float(np.percentile(self.rounds, 10))


def ratio(slow: Times, fast: Times) -> Ratio:
    """How many times longer `slow` takes, both from the same rounds of one run.

    What disturbs the machine for longer than a round disturbs both, and cancels in the round's
    ratio: `low` and `high` show what is left of it.
    """
    by_round = [mean(a) / mean(b) for a, b in zip(slow.rounds, fast.rounds, strict=True)]
    low, high = np.percentile(by_round, (10, 90))
    return Ratio(slow.median / fast.median, float(low), float(high))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

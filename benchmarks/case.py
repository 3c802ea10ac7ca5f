"""What a benchmark measures and what it is to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contender import Contender
from race import Result
from timing import Ratio, ratio


@dataclass(frozen=True)
class Goal:
    """How many times longer `slow` should take than `fast`; all are labels of contenders.

    Of several in `slow` the fastest one counts. One of `at_least` and `at_most` is given.
    """

    slow: tuple[str, ...]
    fast: str
    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"

    def is_reached(self, measured: float) -> bool:
        if self.at_least is not None:
            return measured >= self.at_least
        assert self.at_most is not None
        return measured <= self.at_most

    def rival(self, results: Mapping[str, Result]) -> str | None:
        """The fastest one of `slow`; None where none was measured."""
        medians = {label: times.median for label in self.slow if (times := results[label].times)}
        return min(medians, key=lambda label: medians[label]) if medians else None

    def measured(self, results: Mapping[str, Result]) -> Ratio | None:
        """The ratio; None where one of the two was not measured."""
        rival, fast = self.rival(results), results[self.fast].times
        if rival is None or fast is None:
            return None
        slow = results[rival].times
        assert slow is not None
        return ratio(slow, fast)


@dataclass(frozen=True)
class Case:
    """Contenders that belong into one table.

    Attributes:
        name: fit to be a file's name.
        title: of the table.
        contenders: the first is the one that others are compared with.
        goals: what is to be reached.
        layers: a call's time is divided by this.
    """

    name: str
    title: str
    contenders: tuple[Contender, ...]
    goals: tuple[Goal, ...]
    layers: int = 1

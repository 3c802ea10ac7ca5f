"""What a study has found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from niwaki.errors import NiwakiError

from .space import Point


@dataclass(frozen=True)
class Trial:
    """A point that was tried.

    Attributes:
        number: its place in the study, from 0.
        point: a value for each dimension.
        costs: of each limit.
        scores: what `evaluate` gave, the objective first; empty where the trial failed.
        reason: why it failed.
        seconds: how long it took to train and evaluate.
        allowed: whether it is within the limits, as they are now.
    """

    number: int
    point: Point
    costs: dict[str, float]
    scores: dict[str, float]
    reason: str
    seconds: float
    allowed: bool = True

    @property
    def objective(self) -> float:
        """The first score."""
        return next(iter(self.scores.values()))


@dataclass(frozen=True)
class Results:
    """All trials of a study.

    Attributes:
        trials: those that ended, well or not, in order.
        rejected: how many points were above a limit, and not trained.
        limits: most that is allowed by name, or None.
    """

    trials: tuple[Trial, ...]
    rejected: int
    limits: dict[str, float | None]

    @property
    def cost(self) -> str | None:
        """The name of the cost that the front is drawn against."""
        return next(iter(self.limits), None)

    @property
    def done(self) -> list[Trial]:
        """Trials that did not fail."""
        return [trial for trial in self.trials if trial.scores]

    @property
    def failed(self) -> list[Trial]:
        return [trial for trial in self.trials if not trial.scores]

    @cached_property
    def front(self) -> list[Trial]:
        """Trials that no other beats in both objective and first cost, the cheapest first."""
        cost = self.cost
        if cost is None:
            return [self.best] if self.done else []
        found: list[Trial] = []
        for trial in sorted(self.done, key=lambda one: (one.costs[cost], -one.objective)):
            if not found or trial.objective > found[-1].objective:
                found.append(trial)
        return found

    @cached_property
    def best(self) -> Trial:
        """The highest objective within the limits; of equal ones the cheapest.

        Raises:
            NiwakiError: no trial has ended well.
        """
        if not self.done:
            why = f": the first says: {self.failed[0].reason}" if self.failed else ""
            raise NiwakiError(f"none of {len(self.trials)} trials has a result{why}")
        allowed = [trial for trial in self.done if trial.allowed]
        if not allowed:
            raise NiwakiError(
                f"none of {len(self.done)} trials is within the limits: ask for more trials"
            )
        cost = self.cost
        return max(allowed, key=lambda one: (one.objective, -one.costs[cost] if cost else 0.0))

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "limits": self.limits,
            "trials": len(self.trials),
            "failed": [{"number": one.number, "reason": one.reason} for one in self.failed],
            "rejected": self.rejected,
            "best": _shown(self.best),
            "front": [_shown(trial) for trial in self.front],
        }


def _shown(trial: Trial) -> dict[str, Any]:
    fields = ("number", "point", "scores", "costs", "seconds")
    return {name: getattr(trial, name) for name in fields}


def hypervolume(trials: Iterable[Trial], cost: str, corner: tuple[float, float]) -> float:
    """The area that `trials` are better than, down to an objective and up to a cost.

    By it the fronts of two studies are compared (Zitzler and Thiele 1998).

    Args:
        corner: the least objective and the highest cost that count.
    """
    least, most = corner
    area, height = 0.0, least
    for trial in sorted(trials, key=lambda one: (one.costs[cost], -one.objective)):
        if trial.costs[cost] < most and trial.objective > height:
            area += (trial.objective - height) * (most - trial.costs[cost])
            height = trial.objective
    return area

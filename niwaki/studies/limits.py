"""What a point costs, known before it is trained, and how much of it is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

from niwaki.arguments import given
from niwaki.errors import NiwakiError

from .space import Point, told

Parts = Mapping[str, float]


@dataclass(frozen=True)
class Limit:
    """A cost of each point, and the most that it may be.

    Attributes:
        name: of the cost, with its unit: "ms".
        most: points above it are never trained. None for no limit: where it is the first one, the
            study then looks for the whole front of objective against cost.
        cost: of a point; a number, or one for each part, whose sum it is: {"conv1": 0.3, ...}. It
            is asked often, in the process that searches, so it must be quick.
    """

    name: str
    most: float | None
    cost: Callable[[Point], float | Parts]

    def parts(self, point: Point) -> dict[str, float]:
        """What each part of `point` costs; a cost without parts is one that is called "".

        Raises:
            NiwakiError: that is no finite number, or the function failed.
        """
        try:
            priced = self.cost(dict(point))
            parts = dict(priced) if isinstance(priced, Mapping) else {"": priced}
            numbers = {name: float(value) for name, value in parts.items()}
        except NiwakiError:
            raise
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise NiwakiError(
                f"the cost of '{self.name}' failed at {told(point)}: {reason}"
            ) from error
        total = sum(numbers.values())
        if not math.isfinite(total):
            raise NiwakiError(
                f"the cost of '{self.name}' is {total} at {told(point)}: give a finite number"
            )
        return numbers


@dataclass(frozen=True)
class Limits:
    """All limits of a study, the first of which the front is drawn against."""

    limits: Sequence[Limit] = field(default_factory=tuple)

    def check(self) -> None:
        """Refuse what cannot be kept.

        Raises:
            NiwakiError: something that is no limit, two of one name, or a bound that is no number.
        """
        if not isinstance(self.limits, (list, tuple)):
            raise NiwakiError("limits are a list, as [Limit('ms', 5.0, milliseconds)]")
        names = set()
        for limit in self.limits:
            if not isinstance(limit, Limit):
                raise NiwakiError(f"limits are Limit(name, most, cost), not {type(limit).__name__}")
            if not isinstance(limit.name, str) or not limit.name:
                raise NiwakiError(f"a limit is called {limit.name!r}: its name must be a text")
            if not callable(limit.cost):
                raise NiwakiError(f"limit '{limit.name}' needs a function of a point as its cost")
            if limit.name in names:
                raise NiwakiError(f"two limits are called '{limit.name}': give each its own name")
            names.add(limit.name)
            most = limit.most
            number = isinstance(most, Real) and not isinstance(most, bool)
            if most is not None and not (number and 0 < float(most) < math.inf):
                raise NiwakiError(
                    f"limit '{limit.name}' is {given(most)}: give a number above 0, or None"
                )

    @property
    def names(self) -> list[str]:
        return [limit.name for limit in self.limits]

    @property
    def first(self) -> Limit | None:
        return self.limits[0] if self.limits else None

    @property
    def two_goals(self) -> bool:
        """Whether the first cost is to be as low as can be, instead of below a limit."""
        return self.first is not None and self.first.most is None

    @property
    def goals(self) -> list[str]:
        """Which way each value of a trial is better, in Optuna's words."""
        return ["maximize", "minimize"] if self.two_goals else ["maximize"]

    def costs(self, point: Point) -> dict[str, float]:
        """What `point` costs, by limit."""
        return {limit.name: sum(limit.parts(point).values()) for limit in self.limits}

    def excess(self, costs: Mapping[str, float]) -> list[float]:
        """By what share each limit is exceeded: at most 0 where it is kept."""
        return [
            costs[limit.name] / limit.most - 1 for limit in self.limits if limit.most is not None
        ]

    def allow(self, costs: Mapping[str, float]) -> bool:
        """Whether all limits are kept."""
        return all(share <= 0 for share in self.excess(costs))

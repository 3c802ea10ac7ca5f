"""What a study may choose: a space has dimensions, a point has a value for each.

Values are plain (numbers, text, true and false, None), so that a point can be kept in a file, shown
on a page and sent to another machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from niwaki.errors import NiwakiError
from niwaki.text_table import shortened

Value = bool | int | float | str | None
Point = dict[str, Value]

EXACT = 2**53  # floats, in which samplers reckon, have all whole numbers up to here
FURTHEST = 1e100  # of a number: samplers square them
TOLD = 120  # letters of a point in a message
PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, init=False)
class Choice:
    """One of a few values, which have no order: Choice("pattern", "block")."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        return f"Choice({', '.join(map(repr, self.values))})"

    def fault(self) -> str:
        """Why there is no such dimension; empty where there is."""
        if not self.values:
            return "has no values"
        for value in self.values:
            if not isinstance(value, PLAIN):
                kind = type(value).__name__
                return f"has a value of type {kind}: name it by a text or a number"
            if isinstance(value, float) and not math.isfinite(value):
                return f"has the value {value}, which is not finite"
            if isinstance(value, int) and abs(value) > EXACT:
                return "has a whole number beyond 2^53: name it by a text"
        if len(set(self.values)) < len(self.values):  # true and 1 are equal, too
            return "has equal values"
        return ""

    def ladder(self, most: int) -> list[Value]:
        """All of them, however many."""
        return list(self.values)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both of them included, in steps."""

    low: int
    high: int
    step: int = 1

    def __str__(self) -> str:
        return f"Integer({self.low}, {self.high}, step={self.step})"

    def fault(self) -> str:
        """Why there is no such dimension; empty where there is."""
        if any(type(number) is not int for number in (self.low, self.high, self.step)):
            return "has bounds or a step that are no whole numbers: take Real"
        if max(abs(self.low), abs(self.high)) > EXACT:
            return "has a bound beyond 2^53: take Real"
        if self.low > self.high:
            return "is empty: its low is above its high"
        if self.step < 1:
            return "has a step below 1"
        if (self.high - self.low) % self.step:
            return "does not come to its high in steps"
        return ""

    def ladder(self, most: int) -> list[Value]:
        """At most so many values, evenly from low to high."""
        steps = (self.high - self.low) // self.step
        rungs = min(steps, most - 1)
        places = {round(steps * rung / max(rungs, 1)) for rung in range(rungs + 1)}
        return [self.low + self.step * place for place in sorted(places)]


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`; with `log` each doubling is equally likely."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"Real({self.low}, {self.high}, log={self.log})"

    def fault(self) -> str:
        """Why there is no such dimension; empty where there is."""
        numbers = (self.low, self.high)
        if any(type(number) not in (int, float) for number in numbers):
            return "has bounds that are no numbers"
        if not all(-FURTHEST <= number <= FURTHEST for number in numbers):
            return f"has a bound beyond {FURTHEST:g}"
        if self.low >= self.high:
            return "is empty: its low is not below its high"
        if self.log and self.low <= 0:
            return "is logarithmic: its low must be above 0"
        return ""

    def ladder(self, most: int) -> list[Value]:
        """So many values, evenly from low to high."""
        shares = [rung / (most - 1) for rung in range(most)]
        if self.log:
            return [self.low * (self.high / self.low) ** share for share in shares]
        return [self.low + (self.high - self.low) * share for share in shares]


Dimension = Choice | Integer | Real
Space = Mapping[str, Dimension]


def check_space(space: object) -> None:
    """Refuse what is no space.

    Raises:
        NiwakiError: it has no dimension, or one that no value can be chosen of.
    """
    if not isinstance(space, Mapping):
        kind = type(space).__name__
        raise NiwakiError(f"a space is a dict of dimensions by name, not {kind}")
    if not space:
        raise NiwakiError("the space is empty: give it a dimension, as {'width': Choice(16, 32)}")
    for name, dimension in space.items():
        if not isinstance(name, str) or not name:
            raise NiwakiError(f"a dimension is called {name!r}: its name must be a text")
        if not isinstance(dimension, Dimension):
            kind = type(dimension).__name__
            raise NiwakiError(f"dimension '{name}' is {kind}: give Choice, Integer or Real")
        if fault := dimension.fault():
            raise NiwakiError(f"dimension '{name}', {dimension}, {fault}")


def spelled(point: Point) -> str:
    """A point on a line: depth=3 width=24."""
    return " ".join(f"{name}={short(value)}" for name, value in point.items())


def told(point: Point) -> str:
    """A point within a message: a space may have a hundred dimensions."""
    return shortened(spelled(point), TOLD)


def short(value: Value) -> str:
    """A value as people want to see it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""What a trial does with a point: train, then evaluate. It runs in a worker."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from niwaki.arguments import given
from niwaki.errors import NiwakiError
from niwaki.python_file import call_function

from .space import Point

Train = Callable[[Point], Any]
Evaluate = Callable[[Any], "float | Mapping[str, float]"]

# What a single number is called.
SCORE = "score"


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        scores: of the point, the objective first; empty where the trial failed.
        reason: why it failed, in one line.
        seconds: how long it took.
    """

    scores: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Functions:
    """Those of the user; without `train` the point itself is evaluated."""

    train: Train | None
    evaluate: Evaluate

    def check(self) -> None:
        """Refuse what cannot be called.

        Raises:
            NiwakiError: one is no function.
        """
        if self.train is not None and not callable(self.train):
            raise NiwakiError("train is no function: give one that takes a point, or None")
        if not callable(self.evaluate):
            raise NiwakiError("evaluate is no function: give one that takes what train returns")

    def outcome(self, point: Point) -> Outcome:
        """What becomes of `point`; whatever the functions raise is an outcome, too."""
        start = time.monotonic()
        what = "train"
        try:
            artifact = dict(point)
            if self.train is not None:
                artifact = self.train(artifact)
            what = "evaluate"
            scored = self.evaluate(artifact)
        except (Exception, SystemExit) as error:
            reason = f"{what} raised {_told(error)}"
            return Outcome(reason=reason, seconds=time.monotonic() - start)
        seconds = time.monotonic() - start
        try:
            scores = named(scored)
        except NiwakiError as error:
            return Outcome(reason=str(error), seconds=seconds)
        for name, value in scores.items():
            if not math.isfinite(value):
                return Outcome(reason=f"evaluate gave {name} = {value}", seconds=seconds)
        return Outcome(scores, seconds=seconds)


class Source(Protocol):
    """Where a worker gets the functions from; it is sent to it, so it can be pickled."""

    def load(self) -> Functions: ...


@dataclass(frozen=True)
class Given:
    """Functions of a module that the worker can import, too."""

    functions: Functions

    def load(self) -> Functions:
        return self.functions


@dataclass(frozen=True)
class SetUp:
    """What a function of a file returns, which each worker calls: ``file.py:setup``."""

    path: Path
    function: str
    keywords: Mapping[str, Any]

    def load(self) -> Functions:
        # A worker serves one file, whose functions may import neighbours when they are called.
        sys.path.insert(0, str(self.path.resolve().parent))
        arguments = call_function(self.path, self.function, **self.keywords)
        return Functions(arguments.get("train"), arguments["evaluate"])


def named(scores: Any) -> dict[str, float]:
    """Scores by name; a single number is called "score".

    Raises:
        NiwakiError: there is none.
    """
    numbers = scores if isinstance(scores, Mapping) else {SCORE: scores}
    try:
        found = {str(name): float(value) for name, value in numbers.items()}
    except Exception:  # whatever their classes raise
        found = {}
    if not found:
        raise NiwakiError(
            f"evaluate gave {given(scores)}: return a number, or a dict of numbers"
        ) from None
    return found


def _told(error: BaseException) -> str:
    """The exception, and the last place of the user's code, in one line."""
    message = (str(error).strip().splitlines() or [""])[0]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {message} ({Path(frame.filename).name}:{frame.lineno})"

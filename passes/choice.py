"""What is chosen for a layer: a candidate, and who chooses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from niwaki.schemes import Scheme

# Attributes of a layer: how long its kernel takes.
ESTIMATED_NS = "sparse_pattern.estimated_ns"
MEASURED_NS = "sparse_pattern.measured_ns"


@dataclass(frozen=True)
class Candidate:
    """A way to compute a layer.

    Attributes:
        scheme: how its weights are stored: what was detected, or dense.
        kernel: the kernel attribute.
        seconds: estimated time on one core; 0 where there is no estimate.
    """

    scheme: Scheme
    kernel: Any
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.scheme} {self.kernel.summary}"


@dataclass(frozen=True)
class Choice:
    """The candidate that a layer gets; `measured` is its time in seconds, 0 if it was not."""

    candidate: Candidate
    measured: float = 0.0


# Layers with their candidates to one choice each. It must not change the layers.
Chooser = Callable[[Sequence[tuple[Any, Sequence[Candidate]]]], Sequence[Choice]]


def fastest(layers: Sequence[tuple[Any, Sequence[Candidate]]]) -> list[Choice]:
    """By estimate; of equally fast candidates the first."""
    return [Choice(min(found, key=lambda candidate: candidate.seconds)) for _, found in layers]

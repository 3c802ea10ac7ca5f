"""Who proposes what is tried next: chance, layer by layer or for all alike; the agent is another.

All of them propose from the same choices, and each proposal is evaluated in the same way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from .choices import STRENGTHS, Choice, Vector


class Task(Protocol):
    """What is chosen for, layer by layer."""

    names: list[str]
    schemes: int
    features: int

    def state(self, chosen: Sequence[Choice]) -> Vector:
        """Of the layer that comes next."""


@dataclass(frozen=True)
class Outcome:
    """What choices gave.

    Attributes:
        saved: share of the whole network's energy that each layer saves.
        lost: accuracy; infinite where a trial failed.
    """

    saved: Sequence[float]
    lost: float


class Sampler(ABC):
    """Proposes choices, and may learn from what they gave."""

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.generator = torch.Generator().manual_seed(seed)

    @abstractmethod
    def propose(self) -> list[Choice]:
        """One for each layer."""

    def learn(self, chosen: Sequence[Choice], outcome: Outcome) -> None:  # noqa: B027 - few do
        """What the last proposal gave."""

    def any_choice(self) -> Choice:
        """All are equally likely."""
        scheme = int(torch.randint(self.task.schemes, (1,), generator=self.generator))
        first, second, third = torch.rand(STRENGTHS, generator=self.generator).tolist()
        return Choice(scheme, (first, second, third))


class Random(Sampler):
    """Any choice for each layer."""

    def propose(self) -> list[Choice]:
        return [self.any_choice() for _ in self.task.names]


class Same(Sampler):
    """Any choice, and the same one for all layers."""

    def propose(self) -> list[Choice]:
        return [self.any_choice()] * len(self.task.names)

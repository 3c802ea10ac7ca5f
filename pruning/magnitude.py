"""Magnitude pruning: what is weakest goes, at once or gradually."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .masks import Masks
from .method import Method, register_method
from .schedule import cubic_rate
from .selection import Target


@register_method
@dataclass
class Magnitude(Method):
    """All at once, before training: the projection of the trained weights."""

    name: ClassVar[str] = "magnitude"
    paper: ClassVar[str] = "https://arxiv.org/abs/1506.02626"
    trains: ClassVar[bool] = False

    @property
    def share(self) -> float:
        return 0.0

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        super().start(targets, masks, epochs, steps)
        self.remove()


@register_method
@dataclass
class Gradual(Method):
    """More and more while the network trains, by the cubic schedule.

    Attributes:
        ramp: share of epochs over which the sparsity rises.
        updates: how often it does.
    """

    ramp: float = 0.5
    updates: int = 32

    name: ClassVar[str] = "gradual"
    paper: ClassVar[str] = "https://arxiv.org/abs/1710.01878"

    @property
    def share(self) -> float:
        return self.ramp

    def loss(self, step: int) -> Tensor | None:
        every = max(1, self.steps // max(1, self.updates))
        if step % every == 0:
            progress = step / self.steps
            rates = {t.layer.name: cubic_rate(t.rate, progress) for t in self.targets}
            self.set_masks(rates, at_once=False)
        return None

"""Pruning by ADMM, the alternating direction method of multipliers.

    minimise  f(W)  subject to  W in S_1, ..., W in S_K

Training minimises ``f(W) + rho/2 * sum_k ||W - Z_k + U_k||^2``. From time to time
``Z_k = projection onto S_k of W + U_k`` and ``U_k += W - Z_k``. Patterns and connectivity are two
sets, each with a Z and a U (https://arxiv.org/abs/2001.00138); other schemes are one. At the end W
itself is projected, and what is left is retrained under the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from niwaki.errors import NiwakiError

from .config import Target
from .layers import Layer
from .masks import Masks
from .method import Method, register_method
from .scheme import Projection

Onto = Callable[[Tensor], Tensor]  # the Euclidean projection of weights onto a set


@dataclass
class _Split:
    """One layer's auxiliary weights: Z and scaled dual U for each set, and what W is drawn to."""

    layer: Layer
    sets: tuple[Onto, ...]
    z: list[Tensor]
    u: list[Tensor]
    anchor: Tensor

    @classmethod
    def of(cls, layer: Layer, sets: tuple[Onto, ...]) -> _Split:
        weight = layer.weight.detach()
        split = cls(layer, sets, [], [torch.zeros_like(weight) for _ in sets], weight)
        split.project()
        return split

    def project(self) -> None:
        """The Z-step."""
        weight = self.layer.weight.detach()
        self.z = [onto(weight + u) for onto, u in zip(self.sets, self.u, strict=True)]
        self.draw()

    def draw(self) -> None:
        """The mean of Z - U: sum_k ||W - Z_k + U_k||^2 is K ||W - anchor||^2 and a constant."""
        pairs = zip(self.z, self.u, strict=True)
        self.anchor = torch.stack([z - u for z, u in pairs]).mean(dim=0)

    def update(self) -> None:
        """The Z-step and the dual step."""
        self.project()
        weight = self.layer.weight.detach()
        for u, z in zip(self.u, self.z, strict=True):
            u += weight - z
        self.draw()

    def rescale(self, factor: float) -> None:
        """U is the dual variable / rho, so that it shrinks as rho grows."""
        for u in self.u:
            u /= factor
        self.draw()


@register_method
@dataclass
class ADMM(Method):
    """ADMM with a rho that grows.

    Attributes:
        rho: of the first stage.
        stages: of rho, each 10 times the one before.
        updates: of Z and U in each stage. Each should leave the optimiser time to follow, or U
            grows without effect: in training of few epochs one did best.
        ratio: share of epochs before weights are removed.
    """

    rho: float = 1e-3
    stages: int = 4
    updates: int = 1
    ratio: float = 0.5

    name: ClassVar[str] = "admm"
    paper: ClassVar[str] = "https://arxiv.org/abs/1804.03294"

    _splits: list[_Split] = field(default_factory=list, init=False, repr=False)
    _stage: int = field(default=0, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if self.rho <= 0 or min(self.stages, self.updates) < 1:
            raise NiwakiError(f"{self}: rho is above 0, stages and updates are at least 1")
        super().start(targets, masks, epochs, steps)
        self._splits = [_Split.of(target.layer, self.sets(target)) for target in self.targets]
        self._stage = 0

    def sets(self, target: Target) -> tuple[Onto, ...]:
        """What a layer's weights are drawn to, each with auxiliary weights of its own."""
        layer = target.layer

        def onto(projection: Projection) -> Onto:
            def project(weight: Tensor) -> Tensor:
                mask = projection(layer.array(weight), layer.groups)
                return weight.masked_fill(~layer.tensor(mask), 0)

            return project

        return tuple(onto(projection) for projection in target.scheme.projections(target.rate))

    def loss(self, step: int) -> Tensor | None:
        """The penalty, but for a constant that depends on Z and U alone."""
        every = max(1, self.steps // (self.stages * self.updates))
        if step and step % every == 0:
            self._update(min(step * self.stages // self.steps, self.stages - 1))
        rho = self.rho * 10**self._stage
        penalty = self.zero()
        for split in self._splits:
            distance = (split.layer.weight - split.anchor).square().sum()
            penalty = penalty + (0.5 * rho * len(split.z)) * distance.to(penalty.device)
        return penalty

    def residual(self) -> float | None:
        """||W - Z|| / ||W|| over all layers and sets."""
        if not self._splits:
            return None
        apart = total = 0.0
        for split in self._splits:
            weight = split.layer.weight.detach()
            apart += sum(float((weight - z).square().sum()) for z in split.z)
            total += len(split.z) * float(weight.square().sum())
        return (apart / total) ** 0.5 if total else 0.0

    def remove(self) -> None:
        super().remove()
        self._splits = []

    def state(self) -> dict[str, Any]:
        pairs = {split.layer.name: {"z": split.z, "u": split.u} for split in self._splits}
        return {"stage": self._stage, "splits": pairs}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._stage = state["stage"]
        self._splits = []
        for target in self.targets:
            if found := state["splits"].get(target.layer.name):
                weight = target.layer.weight.detach()
                z, u = ([t.to(weight.device) for t in found[key]] for key in ("z", "u"))
                self._splits.append(_Split(target.layer, self.sets(target), z, u, weight))
                self._splits[-1].draw()

    def _update(self, stage: int) -> None:
        for split in self._splits:
            split.update()
            if stage > self._stage:
                split.rescale(10 ** (stage - self._stage))
        self._stage = stage

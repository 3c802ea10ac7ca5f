"""Pruning by ADMM, the alternating direction method of multipliers.

    minimise  f(W)  subject to  W in S_1, ..., W in S_K

Training minimises ``f(W) + rho/2 * sum_k ||W - Z_k + U_k||^2``. From time to time
``Z_k = projection onto S_k of W + U_k`` and ``U_k += W - Z_k``. Patterns and connectivity are two
sets, each with a Z and a U (https://arxiv.org/abs/2001.00138); other schemes are one. At the end W
itself is projected, and what is left is retrained under the mask.

Between projections only the zeros of Z stay: what a projection keeps is W + U, and so it follows W
while training goes on, at no cost to the penalty. Weights that stay are then free to learn; held
where they were at the last projection, they would be the less so the larger rho is. So the penalty
is ``rho/2 * sum_k ||(W + U_k)[Z_k = 0]||^2``, and U is zero elsewhere.

Sets shrink while training goes on: rates rise by the cubic schedule of gradual pruning, as in
progressive ADMM (https://arxiv.org/abs/1810.07378), so that few weights vanish at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from niwaki.errors import NiwakiError

from .config import Target
from .layers import Layer
from .masks import Masks
from .method import Method, register_method
from .schedule import cubic_rate
from .scheme import Projection


@dataclass
class _Split:
    """One layer's auxiliary weights: for each set what Z keeps, and the scaled dual U.

    Attributes:
        kept: where Z is not zero.
        pull: how many sets draw a weight to zero.
        anchor: what those draw it to, on average: the penalty is
            ``sum_k ||(W + U_k)[Z_k = 0]||^2 = sum pull * (W - anchor)^2`` and a constant.
    """

    layer: Layer
    projections: tuple[Projection, ...]
    kept: list[Tensor]
    u: list[Tensor]
    pull: Tensor = field(init=False)
    anchor: Tensor = field(init=False)

    @classmethod
    def of(cls, target: Target, rate: float) -> _Split:
        """At a rate on the way to that of the target."""
        weight = target.layer.weight.detach()
        projections = target.scheme.projections(rate)
        split = cls(target.layer, projections, [], [torch.zeros_like(weight) for _ in projections])
        split.project()
        return split

    def project(self) -> None:
        """The Z-step."""
        weight = self.layer.weight.detach()
        self.kept = [
            self.layer.tensor(projection(self.layer.array(weight + u), self.layer.groups))
            for projection, u in zip(self.projections, self.u, strict=True)
        ]
        self.draw()

    def draw(self) -> None:
        """Find what W is drawn to."""
        self.pull = sum((~kept).to(self.u[0].dtype) for kept in self.kept)
        moved = sum(u.masked_fill(k, 0) for u, k in zip(self.u, self.kept, strict=True))
        self.anchor = -moved / self.pull.clamp_min(1)

    def update(self) -> None:
        """The Z-step and the dual step."""
        self.project()
        weight = self.layer.weight.detach()
        for u, kept in zip(self.u, self.kept, strict=True):
            u.add_(weight).masked_fill_(kept, 0)
        self.draw()

    def rescale(self, factor: float) -> None:
        """U is the dual variable / rho, so that it shrinks as rho grows."""
        for u in self.u:
            u /= factor
        self.draw()


@register_method
@dataclass
class ADMM(Method):
    """ADMM with a rho and rates that grow.

    Attributes:
        rho: of the first stage.
        stages: of rho, each 10 times the one before.
        updates: of Z and U in each stage.
        ramp: share of the updates over which rates rise; 0: sets have their last rate at once.
        ratio: share of epochs before weights are removed.
    """

    rho: float = 0.1
    stages: int = 2
    updates: int = 8
    ramp: float = 0.75
    ratio: float = 0.5

    name: ClassVar[str] = "admm"
    paper: ClassVar[str] = "https://arxiv.org/abs/1804.03294"

    _splits: list[_Split] = field(default_factory=list, init=False, repr=False)
    _stage: int = field(default=0, init=False, repr=False)
    _updates: int = field(default=0, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if self.rho <= 0 or min(self.stages, self.updates) < 1:
            raise NiwakiError(f"{self}: rho is above 0, stages and updates are at least 1")
        if not 0 <= self.ramp <= 1:
            raise NiwakiError(f"{self}: ramp, a share of updates, is from 0 to 1")
        super().start(targets, masks, epochs, steps)
        self._stage = self._updates = 0
        self._splits = [_Split.of(target, self._rate(target)) for target in self.targets]

    def loss(self, step: int) -> Tensor | None:
        """The penalty, but for a constant that depends on Z and U alone."""
        every = max(1, self.steps // (self.stages * self.updates))
        if step and step % every == 0:
            self._update(min(step * self.stages // self.steps, self.stages - 1))
        rho = self.rho * 10**self._stage
        penalty = self.zero()
        for split in self._splits:
            distance = (split.pull * (split.layer.weight - split.anchor).square()).sum()
            penalty = penalty + 0.5 * rho * distance.to(penalty.device)
        return penalty

    def residual(self) -> float | None:
        """Norm of the weights that would be removed now, as a share of that of all."""
        if not self._splits:
            return None
        removed = total = 0.0
        for target in self.targets:
            layer, weight = target.layer, target.layer.weight.detach()
            mask = target.scheme.mask(layer.array(weight), target.rate, layer.groups)
            removed += float(weight.masked_fill(layer.tensor(mask), 0).square().sum())
            total += float(weight.square().sum())
        return (removed / total) ** 0.5 if total else 0.0

    def remove(self) -> None:
        super().remove()
        self._splits = []

    def state(self) -> dict[str, Any]:
        pairs = {split.layer.name: {"kept": split.kept, "u": split.u} for split in self._splits}
        return {"stage": self._stage, "updates": self._updates, "splits": pairs}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._stage, self._updates = state["stage"], state["updates"]
        self._splits = []
        for target in self.targets:
            if found := state["splits"].get(target.layer.name):
                device = target.layer.weight.device
                kept, u = ([t.to(device) for t in found[key]] for key in ("kept", "u"))
                projections = target.scheme.projections(self._rate(target))
                self._splits.append(_Split(target.layer, projections, kept, u))
                self._splits[-1].draw()

    def _update(self, stage: int) -> None:
        self._updates += 1
        for target, split in zip(self.targets, self._splits, strict=True):
            split.projections = target.scheme.projections(self._rate(target))
            split.update()
            if stage > self._stage:
                split.rescale(10 ** (stage - self._stage))
        self._stage = stage

    def _rate(self, target: Target) -> float:
        """That of the next projection."""
        ramp = self.ramp * self.stages * self.updates
        return cubic_rate(target.rate, (self._updates + 1) / ramp if ramp else 1.0)

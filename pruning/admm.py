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
    def of(cls, target: Target) -> _Split:
        weight = target.layer.weight.detach()
        projections = target.scheme.projections(target.rate)
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

    def outside(self) -> float:
        """Energy of what the sets would remove, the sum over them."""
        weight = self.layer.weight.detach()
        return sum(float(weight.masked_fill(kept, 0).square().sum()) for kept in self.kept)


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
        self._splits = [_Split.of(target) for target in self.targets]
        self._stage = 0

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
        """||W[Z = 0]|| / ||W|| over all layers and sets."""
        if not self._splits:
            return None
        apart = total = 0.0
        for split in self._splits:
            apart += split.outside()
            total += len(split.kept) * float(split.layer.weight.detach().square().sum())
        return (apart / total) ** 0.5 if total else 0.0

    def remove(self) -> None:
        super().remove()
        self._splits = []

    def state(self) -> dict[str, Any]:
        pairs = {split.layer.name: {"kept": split.kept, "u": split.u} for split in self._splits}
        return {"stage": self._stage, "splits": pairs}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._stage = state["stage"]
        self._splits = []
        for target in self.targets:
            if found := state["splits"].get(target.layer.name):
                device = target.layer.weight.device
                kept, u = ([t.to(device) for t in found[key]] for key in ("kept", "u"))
                projections = target.scheme.projections(target.rate)
                self._splits.append(_Split(target.layer, projections, kept, u))
                self._splits[-1].draw()

    def _update(self, stage: int) -> None:
        for split in self._splits:
            split.update()
            if stage > self._stage:
                split.rescale(10 ** (stage - self._stage))
        self._stage = stage

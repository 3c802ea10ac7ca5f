"""Pruning by ADMM, the alternating direction method of multipliers.

    minimise  f(W)  subject to  W in S_1, ..., W in S_K

Training minimises ``f(W) + rho/2 * sum_k ||W - Z_k + U_k||^2``. From time to time
``Z_k = projection onto S_k of W + U_k`` and ``U_k += W - Z_k``. Patterns and connectivity are two
sets, each with a Z and a U (https://arxiv.org/abs/2001.00138); other schemes are one. At the end W
itself is projected, and what is left is retrained under the mask.

Of a scheme's set only the zeros of Z are held: what a projection keeps is W + U, and so it follows
W while training goes on, at no cost to the penalty. Weights that stay are then free to learn; held
where they were at the last projection, they would be the less so the larger rho is. So the penalty
is ``rho/2 * sum_k ||(W - Z_k + U_k)[held_k]||^2``, and U is zero elsewhere.

Sets shrink while training goes on: rates rise by the cubic schedule of gradual pruning, as in
progressive ADMM (https://arxiv.org/abs/1810.07378), so that few weights vanish at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from niwaki.errors import NiwakiError

from .layers import Layer
from .masks import Masks
from .method import Method, register_method
from .schedule import cubic_rate
from .scheme import Projection
from .selection import Target

# The Euclidean projection of weights onto a set, and where weights are held there.
Onto = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass
class _Split:
    """One layer's auxiliary weights: for each set Z, where it is held, and the scaled dual U.

    Attributes:
        pull: how many sets hold a weight.
        anchor: what those draw it to, on average: the penalty is ``sum pull * (W - anchor)^2`` and
            a constant.
    """

    layer: Layer
    sets: tuple[Onto, ...]
    z: list[Tensor]
    held: list[Tensor]
    u: list[Tensor]
    pull: Tensor = field(init=False)
    anchor: Tensor = field(init=False)

    @classmethod
    def of(cls, layer: Layer, sets: tuple[Onto, ...]) -> _Split:
        split = cls(layer, sets, [], [], [torch.zeros_like(layer.weight) for _ in sets])
        split.project()
        return split

    def project(self) -> None:
        """The Z-step."""
        weight = self.layer.weight.detach()
        projected = [onto(weight + u) for onto, u in zip(self.sets, self.u, strict=True)]
        self.z = [z for z, _ in projected]
        self.held = [held for _, held in projected]
        self.draw()

    def draw(self) -> None:
        """Find what W is drawn to."""
        held = torch.stack(self.held)
        drawn = (torch.stack(self.z) - torch.stack(self.u)).masked_fill(~held, 0).sum(dim=0)
        self.pull = held.sum(dim=0).to(drawn.dtype)
        self.anchor = drawn / self.pull.clamp_min(1)

    def update(self) -> None:
        """The Z-step and the dual step."""
        self.project()
        weight = self.layer.weight.detach()
        for u, z, held in zip(self.u, self.z, self.held, strict=True):
            u.add_(weight - z).masked_fill_(~held, 0)
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
        self._splits = [
            _Split.of(target.layer, self.sets(self._now(target))) for target in self.targets
        ]

    def sets(self, target: Target) -> tuple[Onto, ...]:
        """What a layer's weights are drawn to, each with auxiliary weights of its own."""
        layer = target.layer

        def onto(projection: Projection) -> Onto:
            def project(weight: Tensor) -> tuple[Tensor, Tensor]:
                removed = ~layer.tensor(projection(layer.array(weight), layer.groups))
                return weight.masked_fill(removed, 0), removed

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
        splits = {s.layer.name: {"z": s.z, "held": s.held, "u": s.u} for s in self._splits}
        return {"stage": self._stage, "updates": self._updates, "splits": splits}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._stage, self._updates = state["stage"], state["updates"]
        self._splits = []
        for target in self.targets:
            if found := state["splits"].get(target.layer.name):
                device = target.layer.weight.device
                parts = ([t.to(device) for t in found[key]] for key in ("z", "held", "u"))
                self._splits.append(_Split(target.layer, self.sets(self._now(target)), *parts))
                self._splits[-1].draw()

    def _update(self, stage: int) -> None:
        self._updates += 1
        for target, split in zip(self.targets, self._splits, strict=True):
            split.sets = self.sets(self._now(target))
            split.update()
            if stage > self._stage:
                split.rescale(10 ** (stage - self._stage))
        self._stage = stage

    def _now(self, target: Target) -> Target:
        """With the rate of the next projection, on the way to the last one."""
        ramp = self.ramp * self.stages * self.updates
        return replace(
            target, rate=cubic_rate(target.rate, (self._updates + 1) / ramp if ramp else 1)
        )

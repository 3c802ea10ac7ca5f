"""Reweighted group regularisation: blocks of weights shrink, and rates of layers come out.

BLK-REW (https://arxiv.org/abs/2001.08357) adds ``penalty * sum_g gamma_g * ||W_g||`` to the loss.
The weaker a block, the larger its gamma, which is renewed a few times: blocks that training needs
stay as they are, others vanish. Here energies are measured against the mean of their layer, so
that one penalty does for all layers: ``gamma = 1 / (energy / mean energy + eps)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from niwaki.errors import NiwakiError

from .blocks import Blocks
from .budget import common_threshold
from .masks import Masks
from .method import Method, arrays, fitted, register_method
from .selection import Target

TINY = 1e-12  # keeps the root's gradient finite where a block is zero


@register_method
@dataclass
class Reweighted(Method):
    """Rates of layers are given together only: the network as a whole reaches their mean.

    Attributes:
        penalty: of the norms; larger ones remove more firmly and cost accuracy.
        refreshes: how often gammas are renewed.
        eps: bounds gammas by 1 / eps.
        most: a layer is pruned by at most so many times the rate that was asked for.
        ratio: share of epochs before weights are removed.
    """

    penalty: float = 1e-2
    refreshes: int = 4
    eps: float = 1e-2
    most: float = 4.0
    ratio: float = 0.5

    name: ClassVar[str] = "reweighted"
    paper: ClassVar[str] = "https://arxiv.org/abs/2001.08357"
    own_rates: ClassVar[bool] = True

    _gammas: list[list[Tensor]] = field(default_factory=list, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        # Rates come from what regularisation leaves.
        return fitted(targets, arrays(targets))

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        for target in targets:
            if not _blocks(target):
                raise NiwakiError(
                    f"{target.layer.name}: {target.scheme.name} has no blocks that regularisation "
                    "could shrink: choose the method admm or gradual for it"
                )
        if self.penalty <= 0 or self.eps <= 0 or self.most < 1 or self.refreshes < 1:
            raise NiwakiError(f"{self}: penalty and eps are above 0, most and refreshes at least 1")
        super().start(targets, masks, epochs, steps)
        self._refresh()

    def loss(self, step: int) -> Tensor | None:
        every = max(1, self.steps // self.refreshes)
        if step and step % every == 0:
            self._refresh()
        total = self.zero()
        for target, gammas in zip(self.targets, self._gammas, strict=True):
            for blocks, gamma in zip(_blocks(target), gammas, strict=True):
                weight = target.layer.filters_first(target.layer.weight)
                norms = (blocks.energies(weight) + TINY).sqrt()
                total = total + (gamma * norms).sum().to(total.device)
        return self.penalty * total

    def remove(self) -> None:
        self.set_masks(self.rates())
        self._gammas = []

    def rates(self) -> dict[str, float]:
        """Of each layer: one threshold for all, with which the network reaches its rate."""
        scores = [
            [_relative(blocks, target).double().cpu().numpy() for blocks in _blocks(target)]
            for target in self.targets
        ]
        shared = common_threshold(self.targets, scores, self.most, self.factor)
        return {target.layer.name: target.rate for target in shared}

    def state(self) -> dict[str, Any]:
        return {"gammas": self._gammas}

    def restore(self, state: Mapping[str, Any]) -> None:
        # After pruning there are none.
        self._gammas = [
            [gamma.to(target.layer.weight.device) for gamma in gammas]
            for target, gammas in zip(self.targets, state["gammas"], strict=False)
        ]

    def _refresh(self) -> None:
        self._gammas = [
            [1 / (_relative(blocks, target) + self.eps) for blocks in _blocks(target)]
            for target in self.targets
        ]


def _blocks(target: Target) -> tuple[Blocks, ...]:
    return target.scheme.blocks(target.layer.shape, target.layer.groups)


def _relative(blocks: Blocks, target: Target) -> Tensor:
    """Energy of each block for a weight, where the layer's mean is 1."""
    weight = target.layer.filters_first(target.layer.weight.detach())
    energy = blocks.energies(weight) / blocks.counts(weight)
    return energy / energy.mean().clamp_min(TINY)

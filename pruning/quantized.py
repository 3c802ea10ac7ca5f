"""Pruning and quantisation together by ADMM: weights that stay end on given levels.

Beside the scheme's set each layer has another one, in which each weight is zero where the scheme
removes it and on a level elsewhere. At the end of pruning W is projected onto both, and retraining
goes on with levels: the network computes with the nearest ones, and the optimiser's steps move free
weights behind them, which is the straight-through estimator (https://arxiv.org/abs/1308.3432).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from niwaki.errors import NiwakiError

from .admm import ADMM, Onto
from .layers import Layer
from .levels import EVEN, Levels
from .masks import Masks
from .method import register_method
from .selection import Target


class OnLevels:
    """A layer's weights on levels, and the free weights behind them that training moves.

    Attributes:
        free: what training has moved the weights to, ``[F, C, ...]``.
        scale: of the levels; it follows the free weights.
    """

    def __init__(
        self, layer: Layer, levels: Levels, mask: Tensor, free: Tensor, scale: Tensor
    ) -> None:
        self.free, self.scale = free, scale
        self._layer, self._levels, self._mask = layer, levels, layer.filters_first(mask)
        self._shown = layer.filters_first(layer.weight.detach()).clone()

    def __call__(self) -> None:
        """Do to free weights what the optimiser did to those on levels; then show their levels."""
        weight = self._layer.filters_first(self._layer.weight.data)
        if torch.equal(weight, self._shown):
            return
        self.free += weight - self._shown
        level = self._levels.nearest(self.free / self.scale).masked_fill(~self._mask, 0)
        self.scale = self._levels.rescale(self.free, level, self.scale)
        self._shown = level * self.scale
        self._layer.weight.data.copy_(self._layer.as_stored(self._shown))


@register_method
@dataclass
class Quantized(ADMM):
    """ADMM with one set more, of levels as `Levels` describes them, which stay in retraining.

    Layers that are to be quantised and not pruned have a rate of 1.

    Attributes:
        bits, cell_bits, least, states, per_filter: as in `Levels`.
    """

    rho: float = 1e-3
    stages: int = 4
    updates: int = 1
    ramp: float = 0.0
    bits: int = 5
    cell_bits: int = 4
    least: float = 0.1
    states: str = EVEN
    per_filter: bool = False

    name: ClassVar[str] = "quantized"
    paper: ClassVar[str] = "https://arxiv.org/abs/1908.11691"

    _held: dict[str, OnLevels] = field(default_factory=dict, init=False, repr=False)

    @property
    def levels(self) -> Levels:
        """What weights end on, up to the scale of each layer or filter."""
        return Levels(**{item.name: getattr(self, item.name) for item in fields(Levels)})

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        self._held = {}
        _ = self.levels  # raises where numbers are out of range
        super().start(targets, masks, epochs, steps)

    def sets(self, target: Target) -> tuple[Onto, ...]:
        layer, levels = target.layer, self.levels

        def project(weight: Tensor) -> tuple[Tensor, Tensor]:
            mask = target.scheme.mask(layer.array(weight), target.rate, layer.groups)
            projected, _ = _on_levels(layer, levels, weight, layer.tensor(mask))
            return projected, torch.ones_like(projected, dtype=torch.bool)

        return *super().sets(target), project

    def remove(self) -> None:
        free = {t.layer.name: t.layer.weight.detach().clone() for t in self.targets}
        super().remove()
        held = {}
        for target in self.targets:
            layer = target.layer
            mask = self.masks[layer.name]
            kept = free[layer.name].masked_fill(~mask, 0)
            shown, scale = _on_levels(layer, self.levels, kept, mask)
            layer.weight.data.copy_(shown)
            held[layer.name] = (layer.filters_first(kept), scale)
        self._hold(held)

    def state(self) -> dict[str, Any]:
        held = {name: (layer.free, layer.scale) for name, layer in self._held.items()}
        return {**super().state(), "held": held}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._hold(state["held"])

    def _hold(self, held: Mapping[str, Sequence[Tensor]]) -> None:
        """Keep layers on levels from now on, given free weights and scales."""
        layers = {target.layer.name: target.layer for target in self.targets}
        self._held = {}
        for name, tensors in held.items():
            layer, mask = layers[name], self.masks[name]
            free, scale = (tensor.to(layer.weight.device) for tensor in tensors)
            self._held[name] = OnLevels(layer, self.levels, mask, free, scale)
        self.masks.also(self._held)


def _on_levels(layer: Layer, levels: Levels, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest weights on levels where the mask keeps them, zero elsewhere; and the scale."""
    filters = layer.filters_first(weight)
    try:
        scale = levels.scale(filters, layer.filters_first(mask))
    except NiwakiError as error:
        raise NiwakiError(f"{layer.name}: {error}") from None
    projected = layer.as_stored(levels.nearest(filters / scale) * scale)
    return projected.masked_fill(~mask, 0), scale

"""Blocks of weights that a search removes; each layer gets a rate of its own.

    gates of blocks  -->  share of each layer's weights  -->  its rate  -->  what a network costs

A layer's cost is linear between rates of a grid, in the share of weights that stays. In the end the
scheme makes the mask of a layer, with gates in the place of weights, so that it is one of the
scheme's whatever gates have been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from .block_gates import BlockGates, Family
from .searched import Searched
from .selection import Target, misfit
from .share_costs import ShareCosts

# A limit that rounding exceeds moves by at least this share of it.
LEAST_MOVE = 1e-3


class SearchedBlocks(Searched[Family]):
    """Blocks of the layers to prune.

    Args:
        costs: of layers by the share of their weights.
        least: blocks of each layer that stay.
        rate: at which gates learn.
    """

    def __init__(
        self, targets: Sequence[Target], costs: ShareCosts, least: int, rate: float
    ) -> None:
        self._targets, self._costs = targets, costs
        self.measure = costs.measure
        self.gates: BlockGates = BlockGates(targets, least, rate)

    def soft(self, masks: Mapping[Family, Tensor]) -> Tensor:
        return self._costs.soft(self._shares(masks))

    def exact(self, masks: Mapping[Family, Tensor]) -> float:
        return self._costs.exact({name: 1 / rate for name, rate in self._rates(masks).items()})

    def chosen(self, most: float) -> dict[Family, Tensor]:
        """As the scheme rounds what is left of layers, the threshold may have to move on."""
        limit = most
        while True:
            kept = super().chosen(limit)
            masks, rates = self.weight_masks(kept), self._rates(kept)
            # Rounded down, a share may be one that costs do not know.
            left = {
                name: max(float(m.double().mean()), 1 / rates[name]) for name, m in masks.items()
            }
            excess = self._costs.exact(left) - most
            if excess <= 0 or limit <= 0:
                return kept
            limit -= max(excess, LEAST_MOVE * most)

    def weight_masks(self, kept: Mapping[Family, Tensor]) -> dict[str, Tensor]:
        rates = self._rates(kept)
        masks = {}
        for target in self._targets:
            layer = target.layer
            importance = layer.array(self.gates.importance(target))
            mask = target.scheme.mask(importance, rates[layer.name], layer.groups)
            masks[layer.name] = layer.tensor(mask)
        return masks

    def _shares(self, masks: Mapping[Family, Tensor]) -> dict[str, Tensor]:
        return {
            target.layer.name: self.gates.spread(target, masks).double().mean()
            for target in self._targets
        }

    def _rates(self, masks: Mapping[Family, Tensor]) -> dict[str, float]:
        shares = self._shares(masks)
        return {t.layer.name: self._rate(t, float(shares[t.layer.name])) for t in self._targets}

    def _rate(self, target: Target, share: float) -> float:
        """The rate of a share, or the next smaller one that the layer can have."""
        # Columns and rows that are open need not meet.
        rate = 1 / max(share, 1 / target.layer.weight.numel())
        while rate > 1 and (
            misfit(replace(target, rate=rate)) or not self._costs.knows(target, rate)
        ):
            rate = max(1.0, 0.9 * rate)
        return rate

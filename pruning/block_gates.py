"""Gates for blocks of weights.

    y = conv(x, w)    -->    y = conv(x, w * mask),    mask constant in each block

While gates learn, closed blocks keep their weights, so that they can open again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from .blocks import Blocks
from .gates import TINY, Gates
from .other_weights import compute_with
from .selection import Target

Family = tuple[str, int]  # of blocks: name of the layer, place among the scheme's families

# What weights themselves say where gates are equal.
TIE = 1e-3


class BlockGates(Gates[Family]):
    """A gate for each block of the layers' schemes.

    Args:
        least: blocks of each layer that stay open.
        rate: of learning.
    """

    def __init__(self, targets: Sequence[Target], least: int, rate: float) -> None:
        self._targets = targets
        self._shapes: dict[Family, tuple[int, ...]] = {}
        strengths = {}
        for target in targets:
            weight = target.layer.filters_first(target.layer.weight.detach()).float().cpu()
            for place, blocks in enumerate(_families(target)):
                energies = blocks.energies(weight) / blocks.counts(weight)
                self._shapes[target.layer.name, place] = tuple(energies.shape)
                strengths[target.layer.name, place] = energies.flatten()
        super().__init__(strengths, least, rate, targets[0].layer.weight.device)

    def install(self) -> None:
        for target in self._targets:
            self.handles += compute_with(target.layer, self._gated(target))
        super().install()

    def spread(self, target: Target, masks: Mapping[Family, Tensor]) -> Tensor:
        """Of each weight of a layer what masks have for its blocks, multiplied over families."""
        layer = target.layer
        weight = layer.filters_first(layer.weight.detach())
        product = weight.new_ones(weight.shape)
        for place, blocks in enumerate(_families(target)):
            family = layer.name, place
            mask = masks[family].to(weight).reshape(self._shapes[family])
            product = product * blocks.spread(mask, weight)
        return layer.as_stored(product)

    def importance(self, target: Target) -> Tensor:
        """Of each weight of a layer, as its gates have it."""
        values = {family: self.values.detach()[part] for family, part in self._parts.items()}
        size = target.layer.weight.detach().abs()
        return self.spread(target, values) + TIE * size / size.max().clamp_min(TINY)

    def _gated(self, target: Target) -> Callable[[], Tensor]:
        families = [family for family in self._parts if family[0] == target.layer.name]

        def gated() -> Tensor:
            masks = {family: self.mask(family) for family in families}
            return target.layer.weight * self.spread(target, masks)

        return gated


def _families(target: Target) -> tuple[Blocks, ...]:
    return target.scheme.blocks(target.layer.shape, target.layer.groups)

"""What a network costs while weights go: a function of the shares that layers keep.

seconds
   |          o---o  dense, 1.25x
   |      o--'       1.5x
   | o-o-'           4x, 2x: asked for once a share is near
   +-------------- share of a layer's weights
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from niwaki.errors import NiwakiError
from niwaki.layer_costs import AS_IT_IS, LayerCosts, Setting

from .selection import Target
from .width_times import check_known

# Between these, costs are linear in the share that stays.
RATES = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0)


class ShareCosts(ABC):
    """Of a network, from the share of weights that each pruned layer keeps.

    Class attributes:
        measure: what it counts.
    """

    measure: ClassVar[str]

    def knows(self, target: Target, rate: float) -> bool:
        """Whether the layer can be pruned so far."""
        return True

    @abstractmethod
    def soft(self, shares: Mapping[str, Tensor]) -> Tensor:
        """With these shares, by name; gradients flow to them."""

    @abstractmethod
    def exact(self, shares: Mapping[str, float]) -> float:
        """The same where no gradient is needed."""


class ShareMultiplyAdds(ShareCosts):
    """Those of pruned layers; without what is not pruned, as of the budget flops."""

    measure = "the number of multiply-adds"

    def __init__(self, dense: Mapping[str, float]) -> None:
        self._dense = dense

    def soft(self, shares: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self._dense[name] * share for name, share in shares.items()]).sum()

    def exact(self, shares: Mapping[str, float]) -> float:
        return sum(self._dense[name] * share for name, share in shares.items())


class ShareTimes(ShareCosts):
    """Seconds of the whole network. Several weights of one module are one layer of the costs.

    Raises:
        NiwakiError: costs lack a layer, or weights of one module have several schemes.
    """

    measure = "the time"

    def __init__(self, targets: Sequence[Target], costs: LayerCosts) -> None:
        self._costs = costs
        self._modules: dict[str, list[Target]] = {}
        for target in targets:
            self._modules.setdefault(target.layer.module, []).append(target)
        check_known(self._modules, costs)
        for module, inside in self._modules.items():
            if len({str(target.scheme) for target in inside}) > 1:
                raise NiwakiError(f"{module}: costs know one scheme for all weights of a module")
        dense = sum(costs.seconds(module, AS_IT_IS) for module in self._modules)
        self._others = costs.network({}) - dense

    def knows(self, target: Target, rate: float) -> bool:
        return math.isfinite(self._seconds(target.layer.module, rate))

    def soft(self, shares: Mapping[str, Tensor]) -> Tensor:
        times = [
            self._between(module, _mean(inside, shares)) for module, inside in self._modules.items()
        ]
        return self._others + torch.stack(times).sum()

    def exact(self, shares: Mapping[str, float]) -> float:
        return self._others + sum(
            self._seconds(module, 1 / _mean(inside, shares))
            for module, inside in self._modules.items()
        )

    def _between(self, module: str, share: Tensor) -> Tensor:
        """On a rate of the grid it is the higher ones that count, since shares fall."""
        place = min(bisect_right(RATES, 1 / float(share.detach())), len(RATES) - 1)
        while place > 1 and math.isinf(self._seconds(module, RATES[place])):
            place -= 1
        lower, upper = RATES[place - 1], RATES[place]
        more, less = self._seconds(module, lower), self._seconds(module, upper)
        if math.isinf(less):
            less = more
        # Below the last share that is possible nothing is gained.
        part = ((1 / lower - share) / (1 / lower - 1 / upper)).clamp(max=1)
        return more + part * (less - more)

    def _seconds(self, module: str, rate: float) -> float:
        rate = round(rate, 9)  # 8 stays 8 where shares are divided by
        if rate <= 1:
            return self._costs.seconds(module, AS_IT_IS)
        return self._costs.seconds(module, Setting(str(self._modules[module][0].scheme), rate))


def _mean(inside: Sequence[Target], shares: Mapping[str, Tensor | float]) -> Tensor | float:
    """The share of all weights of a module."""
    total = sum(target.layer.weight.numel() for target in inside)
    return sum(shares[t.layer.name] * t.layer.weight.numel() for t in inside) / total

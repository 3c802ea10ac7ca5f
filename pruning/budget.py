"""One budget for the whole network: rates of layers that come out of one threshold.

Blocks of weights of all layers compete. What stays is worth most for its cost, until the cost of
all is that of the dense network / rate:

    worth of a block = its energy / energy of all blocks of its layer that are as strong or stronger

That is LAMP (https://arxiv.org/abs/2010.07611): the share of what would be left of the layer, and
not the energy itself, since how large a layer's weights are says little about how much it needs
them, the less so before batch-norm. FLOPs and seconds make weights dear where a layer's output is
large (RT3D sets its rates by FLOPs, https://arxiv.org/abs/2007.09835).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError
from niwaki.schemes.base import SchemeError, Weights

from .selection import Target

Scores = npt.NDArray[np.float64]

MOST = 4.0  # a layer is pruned by at most so many times the rate that was asked for


def share_budget(targets: Sequence[Target], weights: Sequence[Weights]) -> list[Target]:
    """Targets with a cost get rates with which they reach together what theirs ask for.

    Args:
        weights: ``[F, C, T]`` of each target, or how important each weight is.

    Raises:
        NiwakiError: a target's scheme has no blocks that could compete.
    """
    if all(target.cost is None for target in targets):
        return list(targets)
    scores = []
    for target, array in zip(targets, weights, strict=True):
        scores.append(target.scheme.scores(array, target.layer.groups))
        if not scores[-1]:
            raise NiwakiError(
                f"{target.layer.name}: {target.scheme} has no blocks that compete with other "
                "layers': choose the budget layer, or another scheme for it"
            )
    shares = [[share_of_the_rest(family) for family in families] for families in scores]
    return common_threshold(targets, shares, MOST)


def share_of_the_rest(energies: Scores) -> Scores:
    """Ascending: each energy / the sum of those that are not smaller."""
    ascending = np.sort(energies, axis=None)
    rest = np.cumsum(ascending[::-1])[::-1]
    return np.divide(ascending, rest, out=np.zeros_like(ascending), where=rest > 0)


def common_threshold(
    targets: Sequence[Target],
    scores: Sequence[Sequence[Scores]],
    most: float,
    factor: float = 1.0,
) -> list[Target]:
    """Targets with the rates of one threshold for score / cost; without a cost weights cost 1.

    Args:
        scores: of each target, for each family of blocks, what a block is worth for a weight.
        most: a layer is pruned by at most so many times its rate.
        factor: of the rates that targets reach together.
    """
    costs = [1.0 if target.cost is None else target.cost for target in targets]
    ranked = [
        [np.sort(family, axis=None) / cost for family in families]
        for families, cost in zip(scores, costs, strict=True)
    ]
    sizes = [t.layer.weight.numel() * cost for t, cost in zip(targets, costs, strict=True)]
    wanted = sum(size / target.rate for size, target in zip(sizes, targets, strict=True)) / factor

    def kept(threshold: float) -> list[float]:
        """Share of each layer's weights in blocks above the threshold, but not too few."""
        shares = []
        for target, families in zip(targets, ranked, strict=True):
            share = 1.0
            for family in families:
                share *= 1 - float(np.searchsorted(family, threshold, "right")) / family.size
            shares.append(max(share, 1 / (target.rate * most)))
        return shares

    low, high = 0.0, max(float(family[-1]) for families in ranked for family in families)
    for _ in range(100):
        threshold = (low + high) / 2
        total = sum(size * share for size, share in zip(sizes, kept(threshold), strict=True))
        low, high = (threshold, high) if total > wanted else (low, threshold)
    return [
        replace(target, rate=_possible(target, 1 / share))
        for target, share in zip(targets, kept(high), strict=True)
    ]


def _possible(target: Target, rate: float) -> float:
    """The rate, or a smaller one at which something is kept."""
    rate = max(1.0, rate)
    while rate > target.rate:
        try:
            target.scheme.check(target.layer.shape, target.layer.groups, rate)
        except SchemeError:
            rate = max(target.rate, 0.9 * rate)
        else:
            break
    return rate

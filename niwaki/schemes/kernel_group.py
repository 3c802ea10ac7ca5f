"""Kernel groups of RT3D (https://arxiv.org/abs/2007.09835): block-punched in three dimensions.

Kernels are cut into groups of filters x channels. KGS keeps the same taps in all kernels of a
group; the "vanilla" form keeps a group as a whole or not at all. `BlockPunched` with the same
filters and channels stores exactly that, whatever the dimensions of the kernels, so that there is
no further scheme: a layer pruned so is reported as block-punched. YOLObile's blocks are these in
two dimensions.
"""

from __future__ import annotations

import numpy as np

from .base import Bools, Weights, check_rate, check_shape
from .block_punched import BlockPunched
from .folding import energies, fold_sum, unfold


def kernel_group_mask(
    weights: Weights,
    rate: float,
    filters: int = 8,
    channels: int = 4,
    groups: int = 1,
    vanilla: bool = False,
) -> Bools:
    """What stays when the layer keeps the strongest taps of its kernel groups, or whole groups.

    The projection of ``weights[F, C, T]`` onto ``BlockPunched(filters, channels)``: the taps of all
    kernel groups (vanilla: the groups) compete by their L2 norm for each weight, so that smaller
    groups at the end of filters or channels are not worse off. So many stay that kept weights are
    as near as can be to one in `rate`. Of equals the first stays; NaN counts as infinite.

    Raises:
        SchemeError: `rate`, `filters` or `channels` is below 1, or the weights have no shape of a
            layer.
    """
    check_rate(rate)
    BlockPunched(filters, channels).check_parameters()
    total, all_channels, taps = check_shape(weights.shape, groups)
    shape = (groups, total // groups, all_channels, taps)

    def sums(values: Weights) -> Weights:
        return fold_sum(fold_sum(values, filters, axis=1), channels, axis=2)

    sizes = sums(np.ones(shape))
    scores = sums(energies(weights).reshape(shape)) / sizes
    if vanilla:
        scores, sizes = (values.sum(axis=-1, keepdims=True) for values in (scores, sizes))
    order = np.argsort(-scores, axis=None, kind="stable")
    ordered = sizes.ravel()[order]
    stay = ordered.cumsum() - ordered / 2 <= weights.size / rate
    kept = np.zeros(scores.shape, bool)
    kept.ravel()[order[stay]] = True
    kept = unfold(unfold(kept, channels, all_channels, axis=2), filters, shape[1], axis=1)
    return np.broadcast_to(kept, shape).reshape(weights.shape).copy()

"""Blocks of filters x channels whose kernels all keep the same taps.

YOLObile (https://arxiv.org/abs/2009.05697) prunes so; the kernel groups of RT3D
(https://arxiv.org/abs/2007.09835) are the same in 3-D. What a kernel gains depends on the filters
of a block alone: they share one list of columns (channel, tap). More channels in a block only make
that list shorter to write down. With a single tap (linear and 1x1 layers) a block is kept or
removed as a whole, and blocks of one channel are columns of the weight matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, SchemeError, Shape, Weights, check_rate, check_shape, register
from .folding import energies, fold, fold_sum, strongest, unfold

# Filters of a block that detection tries; a larger block is a multiple of these.
FILTERS = (32, 16, 8, 4, 2)


@register
@dataclass(frozen=True)
class BlockPunched(Scheme):
    """Stores, for each block of `filters` x `channels` kernels, the taps that any of them needs.

    Both count from a group's first filter and channel; what is left at its end is a smaller block.
    """

    filters: int
    channels: int

    name: ClassVar[str] = "block_punched"
    rank: ClassVar[int] = 20

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        filters_of_group = nonzero.shape[0] // groups
        for filters in sorted({min(size, filters_of_group) for size in FILTERS}, reverse=True):
            # Blocks of one filter share nothing: that is what `Unstructured` is for.
            if filters == 1:
                continue
            most = (1 + slack) * cls(filters, 1).stored(nonzero, groups)
            # Blocks that hold everything explain nothing.
            if most < nonzero.size:
                yield cls(filters, _largest_channels(filters, most, nonzero, groups))

    def check_parameters(self) -> None:
        if self.filters < 1 or self.channels < 1:
            raise SchemeError(f"{self} needs blocks of at least 1 filter and 1 channel")

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return min(self.filters, check_shape(shape, groups)[0] // groups)

    def describe(self) -> str:
        channels = f" x {self.channels} channels" if self.channels > 1 else ""
        return f"in blocks of {self.filters} filters{channels}"

    def _mask(self, nonzero: Bools) -> Bools:
        _, filters, channels, _ = nonzero.shape
        kept = fold(fold(nonzero, self.filters, axis=1), self.channels, axis=2)
        return unfold(unfold(kept, self.channels, channels, axis=2), self.filters, filters, axis=1)


def block_punched_mask(
    weights: Weights, rate: float, filters: int, groups: int = 1, channels: int = 1
) -> Bools:
    """What stays when each `filters` filters keep the strongest taps of their channel blocks.

    The projection of ``weights[F, C, T]`` onto ``BlockPunched(filters, channels)``: of all taps of
    a row of blocks one in `rate` is kept, those of largest L2 norm over the block (of equals the
    first; NaN counts as infinite). With blocks of one channel that is ``round(C * T / rate)``
    columns. Every row of blocks keeps as many, so threads that share a layer get equal work.

    Raises:
        SchemeError: `rate`, `filters` or `channels` is below 1, or the weights have no shape of a
            layer.
    """
    check_rate(rate)
    BlockPunched(filters, channels).check_parameters()
    total, all_channels, taps = check_shape(weights.shape, groups)
    shape = (groups, total // groups, all_channels, taps)
    energy = fold_sum(energies(weights).reshape(shape), filters, axis=1)
    energy = np.ascontiguousarray(fold_sum(energy, channels, axis=2))
    rows = energy.reshape(*energy.shape[:2], -1)
    kept = strongest(rows, round(rows.shape[-1] / rate)).reshape(energy.shape)
    kept = unfold(unfold(kept, channels, all_channels, axis=2), filters, shape[1], axis=1)
    return kept.reshape(weights.shape)


def _largest_channels(filters: int, most: float, nonzero: Bools, groups: int) -> int:
    """The most channels of a block with which the layer stores no more than `most` weights."""
    channels = nonzero.shape[1]
    largest = 1
    powers = (2**power for power in range(1, channels.bit_length()))
    # Each size joins blocks of the one before, so that it stores no less: the first excess ends it.
    for size in (*(power for power in powers if power < channels), channels):
        if BlockPunched(filters, size).stored(nonzero, groups) > most:
            break
        largest = size
    return largest

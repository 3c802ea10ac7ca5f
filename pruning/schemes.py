"""The schemes that networks can be pruned to. Docs: docs/pruning.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from niwaki.schemes import (
    block_column_row_mask,
    block_punched_mask,
    channel_mask,
    filter_mask,
    kernel_group_mask,
    n_m_mask,
    unstructured_mask,
)
from niwaki.schemes.base import Bools, SchemeError, Shape, Weights

from .blocks import Blocks
from .scheme import PruningScheme, register


@register
@dataclass(frozen=True)
class Unstructured(PruningScheme):
    """Any weights of the layer."""

    name: ClassVar[str] = "unstructured"
    paper: ClassVar[str] = "https://arxiv.org/abs/1506.02626"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return unstructured_mask(weights, rate)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        return round(math.prod(shape) / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, 1, 1, 1),)


@register
@dataclass(frozen=True)
class Filter(PruningScheme):
    """Whole filters, as many in each group of a convolution."""

    name: ClassVar[str] = "filter"
    paper: ClassVar[str] = "https://arxiv.org/abs/1608.08710"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return filter_mask(weights, rate, groups)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        return round(shape[0] / groups / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, 1, shape[1], shape[2]),)


@register
@dataclass(frozen=True)
class Channel(PruningScheme):
    """Whole input channels, as many in each group of a convolution."""

    name: ClassVar[str] = "channel"
    paper: ClassVar[str] = "https://arxiv.org/abs/1608.03665"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return channel_mask(weights, rate, groups)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        return round(shape[1] / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, shape[0] // groups, 1, shape[2]),)


@register
@dataclass(frozen=True)
class Column(PruningScheme):
    """Columns (channel, tap) of the weight matrix, the same for all filters of a group."""

    name: ClassVar[str] = "column"
    paper: ClassVar[str] = "https://arxiv.org/abs/1608.03665"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return block_punched_mask(weights, rate, weights.shape[0] // groups, groups)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        return round(shape[1] * shape[2] / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, shape[0] // groups, 1, 1),)


@register
@dataclass(frozen=True)
class BlockPunched(PruningScheme):
    """The same taps in all kernels of a block; as many in each row of blocks.

    Attributes:
        filters: of a block; 8 are one vector register or two on CPUs.
        channels: of a block; 1 prunes columns (channel, tap) of blocks of filters.
    """

    filters: int = 8
    channels: int = 1

    name: ClassVar[str] = "block_punched"
    paper: ClassVar[str] = "https://arxiv.org/abs/2009.05697"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return block_punched_mask(weights, rate, self.filters, groups, self.channels)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        _check_sizes(self, filters=self.filters, channels=self.channels)
        return round(-(-shape[1] // self.channels) * shape[2] / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, self.filters, self.channels, 1),)


@register
@dataclass(frozen=True)
class KernelGroup(PruningScheme):
    """The same taps in all kernels of a group, or whole groups; the strongest of the layer.

    Attributes:
        filters: of a kernel group.
        channels: of a kernel group.
        vanilla: whole kernel groups; without it their taps (KGS).
    """

    filters: int = 8
    channels: int = 4
    vanilla: bool = False

    name: ClassVar[str] = "kernel_group"
    paper: ClassVar[str] = "https://arxiv.org/abs/2007.09835"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return kernel_group_mask(weights, rate, self.filters, self.channels, groups, self.vanilla)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        _check_sizes(self, filters=self.filters, channels=self.channels)
        kernels = groups * -(-shape[0] // groups // self.filters) * -(-shape[1] // self.channels)
        return round(kernels * (1 if self.vanilla else shape[2]) / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, self.filters, self.channels, shape[2] if self.vanilla else 1),)


@register
@dataclass(frozen=True)
class BlockColumnRow(PruningScheme):
    """Columns, then rows, of each block of the weight matrix.

    With `whole_rows` rows go from the whole matrix, not from each block: they are filters. That is
    RTMobile's BSP (https://arxiv.org/abs/2002.11474).

    Attributes:
        filters: rows of a block.
        columns: columns (channel, tap) of a block.
        row_share: of the rate, in logarithms, what rows give: 0.15 makes of 8 rows by 1.33 and
            columns by 6. 0 prunes columns alone, 1 rows alone (BLK-REW). Filters whose columns
            differ share no loads, so that rows gain less time than columns do.
    """

    filters: int = 8
    columns: int = 64
    row_share: float = 0.15
    whole_rows: bool = False

    name: ClassVar[str] = "block_column_row"
    paper: ClassVar[str] = "https://arxiv.org/abs/2108.11033"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        columns, rows = self._rates(rate)
        of_blocks = 1.0 if self.whole_rows else rows
        mask = block_column_row_mask(
            weights, columns, of_blocks, self.filters, self.columns, groups
        )
        if self.whole_rows:
            mask &= filter_mask(np.where(mask, weights, 0), rows, groups)
        return mask

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        _check_sizes(self, filters=self.filters, columns=self.columns)
        if not 0 <= self.row_share <= 1:
            raise SchemeError(f"{self}: row_share is from 0 to 1, not {self.row_share:g}")
        columns, rows = self._rates(rate)
        kept_columns = round(min(self.columns, shape[1] * shape[2]) / columns)
        filters = shape[0] // groups
        block = filters if self.whole_rows else min(self.filters, filters)
        return min(kept_columns, round(block / rows))

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        columns = Blocks(groups, self.filters, 1, 1, flat=True)
        width = shape[1] * shape[2] if self.whole_rows else self.columns
        rows = Blocks(groups, 1, width, 1, flat=True)
        return tuple(
            family
            for family, share in ((columns, 1 - self.row_share), (rows, self.row_share))
            if share
        )

    def _rates(self, rate: float) -> tuple[float, float]:
        """Of columns and of rows; columns make up for what rows are rounded by."""
        rows = rate**self.row_share
        if 0 < self.row_share < 1 and not self.whole_rows:
            rows = self.filters / max(1, round(self.filters / rows))
        return max(1.0, rate / rows), rows


@register
@dataclass(frozen=True)
class Crossbar(PruningScheme):
    """Columns (channel, tap) of each strip of filters; what stays fills whole memristor crossbars.

    The weight matrix is cut into tiles of the size of a crossbar. A strip of filters keeps so many
    columns that they fill crossbars, which alone saves one: the rate counts crossbars.

    Attributes:
        filters: that a crossbar holds.
        columns: that a crossbar holds.
    """

    filters: int = 128
    columns: int = 64

    name: ClassVar[str] = "crossbar"
    paper: ClassVar[str] = "https://arxiv.org/abs/1908.11691"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        columns = weights.shape[1] * weights.shape[2]
        kept = min(columns, self.columns * max(1, self.kept(weights.shape, groups, rate)))
        return block_punched_mask(weights, columns / kept, self.filters, groups)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        _check_sizes(self, filters=self.filters, columns=self.columns)
        return round(-(-shape[1] * shape[2] // self.columns) / rate)

    def blocks(self, shape: Shape, groups: int) -> tuple[Blocks, ...]:
        return (Blocks(groups, self.filters, 1, 1, flat=True),)


@register
@dataclass(frozen=True)
class NM(PruningScheme):
    """Of every m consecutive input channels n = m / rate: a rate of 2 with m = 4 is 2:4."""

    m: int = 4

    name: ClassVar[str] = "n_m"
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.08378"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        # 2:4 on the way to 1:4 of gradual pruning: what is kept is rounded up.
        return n_m_mask(weights, math.ceil(self.m / rate - 1e-9), self.m)

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        _check_sizes(self, m=self.m)
        if shape[1] < self.m:
            raise SchemeError(f"{self} needs {self.m} input channels, and there are {shape[1]}")
        kept = self.m / rate
        if kept < 1 or abs(kept - round(kept)) > 1e-9:
            rates = ", ".join(f"{self.m / n:g}" for n in range(self.m, 0, -1))
            raise SchemeError(f"{self} prunes at rates of {rates}, not {rate:g}")
        return round(kept)


def _check_sizes(scheme: PruningScheme, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise SchemeError(f"{scheme}: {name} is at least 1, not {size}")

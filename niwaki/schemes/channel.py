"""Whole filters and whole input channels are kept: structured pruning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, Shape, Weights, check_rate, check_shape, register
from .folding import energies, strongest


@register
@dataclass(frozen=True)
class Channel(Scheme):
    """Stores live filters x live channels of each group, all taps; live: some weight is not 0."""

    name: ClassVar[str] = "channel"
    rank: ClassVar[int] = 10

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        yield cls()

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return check_shape(shape, groups)[0] // groups

    def describe(self) -> str:
        return "as whole filters and channels"

    def _mask(self, nonzero: Bools) -> Bools:
        filters = nonzero.any(axis=(2, 3), keepdims=True)
        channels = nonzero.any(axis=(1, 3), keepdims=True)
        return np.broadcast_to(filters & channels, nonzero.shape).copy()


def filter_mask(weights: Weights, rate: float, groups: int = 1) -> Bools:
    """What stays when each group keeps its strongest filters, one in `rate`.

    The projection of ``weights[F, C, T]`` by L2 norms; of equals the first stays, NaN counts as
    infinite. Groups stay equally large, so that they remain groups of a smaller convolution.

    Raises:
        SchemeError: `rate` is below 1, or the weights have no shape of a layer.
    """
    check_rate(rate)
    filters, _, _ = check_shape(weights.shape, groups)
    energy = energies(weights).sum(axis=(1, 2)).reshape(groups, -1)
    kept = strongest(energy, round(filters / groups / rate)).reshape(filters, 1, 1)
    return np.broadcast_to(kept, weights.shape).copy()


def channel_mask(weights: Weights, rate: float, groups: int = 1) -> Bools:
    """What stays when each group keeps the strongest of its input channels, one in `rate`.

    As `filter_mask`, across filters.
    """
    check_rate(rate)
    filters, channels, taps = check_shape(weights.shape, groups)
    grouped = energies(weights).reshape(groups, filters // groups, channels, taps)
    kept = strongest(grouped.sum(axis=(1, 3)), round(channels / rate))[:, None, :, None]
    return np.broadcast_to(kept, grouped.shape).reshape(weights.shape).copy()

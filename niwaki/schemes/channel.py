"""Whole filters and whole input channels are kept: structured pruning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, Shape, check_shape, register


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

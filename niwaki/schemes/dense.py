"""Everything is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, Shape, check_shape, register


@register
@dataclass(frozen=True)
class Dense(Scheme):
    """Stores every weight, zeros too. Detection falls back on it, so it proposes nothing."""

    name: ClassVar[str] = "dense"
    rank: ClassVar[int] = 0

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return check_shape(shape, groups)[0] // groups

    def describe(self) -> str:
        return "with every zero stored"

    def _mask(self, nonzero: Bools) -> Bools:
        return np.ones_like(nonzero)

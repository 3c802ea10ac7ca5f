"""Any positions: magnitude pruning, and the scheme that always applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from .base import Bools, Scheme, Shape, register


@register
@dataclass(frozen=True)
class Unstructured(Scheme):
    """Stores the nonzeros and nothing else: each filter loads columns of its own."""

    name: ClassVar[str] = "unstructured"
    rank: ClassVar[int] = 100

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        yield cls()

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return 1

    def describe(self) -> str:
        return "at any position"

    def _mask(self, nonzero: Bools) -> Bools:
        return nonzero.copy()

"""Any positions: magnitude pruning, and the scheme that always applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from .base import Bools, Scheme, Shape, Weights, check_rate, check_shape, register
from .folding import energies, strongest


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


def unstructured_mask(weights: Weights, rate: float) -> Bools:
    """What stays when the layer keeps its largest weights, one in `rate`.

    The projection of ``weights[F, C, T]``; of equals the first stays, NaN counts as infinite.

    Raises:
        SchemeError: `rate` is below 1, or the weights have no shape of a layer.
    """
    check_rate(rate)
    check_shape(weights.shape)
    kept = strongest(energies(weights).ravel(), round(weights.size / rate))
    return kept.reshape(weights.shape)

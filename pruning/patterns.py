"""Patterns: each kernel keeps one of a few sets of taps, and weak kernels are removed as a whole.

PCONV (https://arxiv.org/abs/1909.05073), PatDNN (https://arxiv.org/abs/2001.00138).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from niwaki.schemes import natural_library, pattern_mask
from niwaki.schemes.base import Bools, SchemeError, Shape, Weights
from niwaki.schemes.folding import energies, fold_sum
from niwaki.schemes.pattern_library import MOST_TAPS

from .scheme import Projection, PruningScheme, register

Library = tuple[tuple[int, ...], ...]

# PCONV's four patterns are the last: the centre and three of its four neighbours. The first four
# are the corners. Taps of 3x3 kernels, row by row.
PUBLISHED: Library = (
    (4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4),
    (1, 3, 4, 5), (3, 4, 5, 7), (1, 4, 5, 7), (1, 3, 4, 7),
)  # fmt: skip


# Libraries that are found in weights.
FOUND = ("natural", "central")


@register
@dataclass(frozen=True)
class Pattern(PruningScheme):
    """A pattern of a library for each kernel, and as many kept kernels in each filter.

    The rate is that of both together: 4 of 9 taps prune by 2.25, and 8 leaves 3.56 for kernels.

    Attributes:
        taps: of each pattern.
        patterns: in the library, at most.
        filters: consecutive ones that share patterns and kept kernels.
        library: ``natural``, the most frequent sets of strongest taps in the layer's trained
            weights; ``central``, of these the ones with the tap in the centre, as PatDNN has them;
            ``published``, 8 patterns of 3x3 kernels; or the taps of each pattern, as in
            ``0-1-3-4/1-2-4-5``.
    """

    taps: int = 4
    patterns: int = 8
    filters: int = 1
    library: str = "natural"

    name: ClassVar[str] = "pattern"
    paper: ClassVar[str] = "https://arxiv.org/abs/2001.00138"

    def mask(self, weights: Weights, rate: float, groups: int = 1) -> Bools:
        return pattern_mask(
            weights,
            self._library(weights),
            self._kernel_rate(weights.shape[2], rate),
            self.filters,
            groups,
        )

    def kept(self, shape: Shape, groups: int, rate: float) -> int:
        taps = shape[2]
        if min(self.taps, self.patterns, self.filters) < 1:
            raise SchemeError(f"{self}: taps, patterns and filters are at least 1")
        if taps <= self.taps:
            raise SchemeError(
                f"patterns of {self.taps} taps need kernels with more, and these have {taps}: "
                "choose another scheme for the layer, or exclude it"
            )
        if self.library == "central" and taps % 2 == 0:
            raise SchemeError(f"{self} needs kernels with a tap in their centre, not {taps} taps")
        if self.library in FOUND and taps > MOST_TAPS:
            raise SchemeError(
                f"patterns are found in kernels of up to {MOST_TAPS} taps, and these have {taps}: "
                "name a library, choose another scheme for the layer, or exclude it"
            )
        if self.library not in FOUND:
            _check_library(self.library, _parse_library(self.library), self.taps, taps)
        if rate < taps / self.taps:
            raise SchemeError(
                f"patterns of {self.taps} of {taps} taps prune by {taps / self.taps:g} at least, "
                f"not {rate:g}"
            )
        return round(shape[1] / self._kernel_rate(taps, rate))

    def fit(self, weights: Weights) -> PruningScheme:
        """A library that weights tell becomes the one of these weights, and stays."""
        return replace(self, library=library_text(self._library(weights)))

    def projections(self, rate: float) -> tuple[Projection, ...]:
        return _best_patterns(self), _strongest_kernels(self, rate)

    def scores(self, weights: Weights, groups: int) -> tuple[Weights, ...]:
        """Of each tap: its kernel's, if the pattern that the kernel would choose has it, or 0."""
        best = pattern_mask(weights, self._library(weights), 1, self.filters, groups)
        total, channels, taps = weights.shape
        energy = np.where(best, energies(weights), 0).sum(axis=2)
        grouped = energy.reshape(groups, total // groups, channels)
        members = fold_sum(np.ones_like(grouped), self.filters, axis=1) * self.taps
        kernels = (fold_sum(grouped, self.filters, axis=1) / members).ravel()
        outside = np.zeros(kernels.size * (taps - self.taps))
        return (np.concatenate([np.repeat(kernels, self.taps), outside]),)

    def _library(self, weights: Weights) -> Sequence[tuple[int, ...]]:
        if self.library in FOUND:
            central = self.library == "central"
            return natural_library(weights, self.taps, self.patterns, central)
        return _parse_library(self.library)[: self.patterns]

    def _kernel_rate(self, taps: int, rate: float) -> float:
        return max(1.0, rate * self.taps / taps)


def library_text(library: Sequence[Sequence[int]]) -> str:
    """``[(0, 1, 3, 4), (1, 2, 4, 5)]`` as ``0-1-3-4/1-2-4-5``."""
    return "/".join("-".join(map(str, pattern)) for pattern in library)


def _best_patterns(scheme: Pattern) -> Projection:
    return lambda weights, groups: pattern_mask(
        weights, scheme._library(weights), 1, scheme.filters, groups
    )


def _strongest_kernels(scheme: Pattern, rate: float) -> Projection:
    def project(weights: Weights, groups: int) -> Bools:
        taps = weights.shape[2]
        kernel_rate = scheme._kernel_rate(taps, rate)
        return pattern_mask(weights, [tuple(range(taps))], kernel_rate, scheme.filters, groups)

    return project


def _parse_library(text: str) -> Library:
    if text == "published":
        return PUBLISHED
    try:
        return tuple(tuple(map(int, pattern.split("-"))) for pattern in text.split("/"))
    except ValueError:
        raise SchemeError(
            "a pattern library is natural, central, published or taps as in 0-1-3-4/1-2-4-5, not "
            f"'{text}'"
        ) from None


def _check_library(text: str, library: Library, size: int, taps: int) -> None:
    for pattern in library:
        if len(set(pattern)) != size or not all(0 <= tap < taps for tap in pattern):
            raise SchemeError(
                f"pattern {'-'.join(map(str, pattern))} of library {text} is not {size} of the "
                f"taps 0 to {taps - 1}"
            )

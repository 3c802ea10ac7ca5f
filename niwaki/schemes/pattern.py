"""Kernels that keep one of a few patterns of taps, or nothing at all.

PCONV (https://arxiv.org/abs/1909.05073) and PatDNN (https://arxiv.org/abs/2001.00138) prune so: 4
of 9 taps in one of 8 patterns, and whole kernels removed on top (connectivity). Here patterns may
have any number of taps, and the library is what the weights show. Consecutive filters may share
patterns and kept kernels; a gather-GEMM kernel then shares their loads, as in blocks of filters.
With all taps and one pattern, kernels are kept or removed as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, SchemeError, Shape, Weights, check_rate, check_shape, register
from .block_punched import FILTERS
from .folding import energies, fold, fold_sum, strongest, unfold
from .pattern_library import MOST_TAPS, Census, Codes, holds, taps_of

# Larger libraries explain nothing: any 4 of 9 taps make 126 patterns. Also fits 8 bits.
MOST_PATTERNS = 256

# Of the kept kernels so many may fit no pattern, by a stray weight say, and are stored as they are.
MOST_STRAYS = 1 / 16

# Patterns of which more is zeros describe weights that are scattered.
MOST_PADDING = 1 / 3


@register
@dataclass(frozen=True)
class Pattern(Scheme):
    """Stores, for each kernel that keeps something, the first pattern of a library that holds it.

    Attributes:
        taps: of each pattern.
        patterns: how many the library has at most. It is discovered: the most frequent sets of
            exactly `taps` taps, then sets that hold kernels with fewer nonzeros.
        filters: consecutive ones of a group that share patterns and kept kernels; there may be
            fewer at the group's end.
    """

    taps: int
    patterns: int
    filters: int

    name: ClassVar[str] = "pattern"
    rank: ClassVar[int] = 15

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        filters, _, taps = nonzero.shape
        if not 2 <= taps <= MOST_TAPS:
            return
        grouped = nonzero.reshape(groups, filters // groups, *nonzero.shape[1:])
        for size in sorted({min(size, filters // groups) for size in (*FILTERS, 1)}, reverse=True):
            kept = fold(grouped, size, axis=1)
            if size > 1 and _channels_agree(kept, slack):
                continue
            found = _discover(Census.of(kept), slack)
            # Filters that share whole kernels, or one pattern, are `BlockPunched`.
            if found is not None and (size == 1 or found[1] > 1):
                yield cls(*found, filters=size)

    def check_parameters(self) -> None:
        if min(self.taps, self.patterns, self.filters) < 1:
            raise SchemeError(f"{self} needs at least 1 tap, 1 pattern and 1 filter")

    def verify(self, nonzero: Bools, groups: int = 1) -> None:
        super().verify(nonzero, groups)
        filters, channels, taps = nonzero.shape
        if taps > MOST_TAPS:
            raise SchemeError(f"{self} takes kernels of up to {MOST_TAPS} taps, not {taps}")
        if self.taps > taps:
            raise SchemeError(f"{self} needs kernels of {self.taps} taps, not {taps}")
        census = self.census(nonzero.reshape(groups, filters // groups, channels, taps))
        strays, kernels = self._strays(census), int(census.uses.sum())
        if strays > MOST_STRAYS * kernels:
            raise SchemeError(f"{strays} of {kernels} kept kernels fit no pattern of {self}")

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return min(self.filters, check_shape(shape, groups)[0] // groups)

    def describe(self) -> str:
        shared = f" shared by {self.filters} filters" if self.filters > 1 else ""
        plural = "s" if self.patterns > 1 else ""
        return f"in {self.patterns} pattern{plural} of {self.taps} taps{shared}"

    def census(self, nonzero: Bools) -> Census:
        """What the kernels of ``bool[groups, filters of a group, C, T]`` keep, sharing applied."""
        return Census.of(fold(nonzero, self.filters, axis=1))

    def library(self, census: Census) -> Codes:
        """The patterns, most used first."""
        return census.library(self.taps, self.patterns)

    def _strays(self, census: Census) -> int:
        """Kernels that fit no pattern."""
        return int(census.uses[~holds(self.library(census), census.codes).any(axis=1)].sum())

    def _mask(self, nonzero: Bools) -> Bools:
        census = self.census(nonzero)
        if not census.codes.size:
            return np.zeros_like(nonzero)
        library = self.library(census)
        held = holds(library, census.codes)
        stored = census.codes.copy()
        fits = held.any(axis=1)
        stored[fits] = library[held.argmax(axis=1)[fits]]
        kept = taps_of(np.append(stored, 0), census.taps)[census.where]
        return unfold(kept, self.filters, nonzero.shape[1], axis=1)


def pattern_mask(
    weights: Weights,
    library: Sequence[Sequence[int]],
    rate: float,
    filters: int = 1,
    groups: int = 1,
) -> Bools:
    """What stays when each kernel keeps its strongest pattern and weak kernels are removed.

    The projection of ``weights[F, C, T]``: each kernel keeps the pattern of largest L2 norm (of
    equals the first; NaN counts as infinite), and each filter ``round(C / rate)`` of its kernels,
    those whose patterns are strongest, so that threads that share a layer get equal work. Each
    `filters` consecutive filters choose together.

    Args:
        library: the taps of each pattern, e.g. ``[(0, 1, 3, 4), (1, 2, 4, 5)]``.
        rate: kernels / kept kernels; 1 removes none.

    Raises:
        SchemeError: a pattern has taps that kernels have not, `rate` or `filters` is below 1, or
            the weights have no shape of a layer.
    """
    check_rate(rate)
    total, channels, taps = check_shape(weights.shape, groups)
    if filters < 1:
        raise SchemeError(f"at least 1 filter has a pattern, not {filters}")
    if not len(library) or any(not 0 <= tap < taps for pattern in library for tap in pattern):
        raise SchemeError(f"a library needs patterns of taps 0 to {taps - 1}, not {list(library)}")
    patterns = np.zeros((len(library), taps), dtype=np.bool_)
    for row, pattern in zip(patterns, library, strict=True):
        row[list(pattern)] = True
    energy = fold_sum(energies(weights).reshape(groups, -1, channels, taps), filters, axis=1)
    of_patterns = energy @ patterns.T.astype(np.float64)
    kernels = strongest(of_patterns.max(axis=-1), round(channels / rate))
    kept = patterns[of_patterns.argmax(axis=-1)] & kernels[..., None]
    return unfold(kept, filters, total // groups, axis=1).reshape(weights.shape)


def natural_library(
    weights: Weights, taps: int, patterns: int, central: bool = False
) -> list[tuple[int, ...]]:
    """The patterns that kernels of ``weights[F, C, T]`` would keep, most frequent first.

    Each kernel votes for its `taps` largest weights; `central`: for the one in its centre and the
    largest others, as in PatDNN's pattern set design. 4 of 9 taps then make at most 56 patterns.

    Raises:
        SchemeError: there are fewer taps, or no centre, or more taps than fit a code, or the
            weights have no shape of a layer.
    """
    kernel_taps = check_shape(weights.shape)[2]
    if not 1 <= taps <= kernel_taps:
        raise SchemeError(f"kernels of {kernel_taps} taps have no patterns of {taps}")
    if kernel_taps > MOST_TAPS:
        raise SchemeError(
            f"patterns are found in kernels of up to {MOST_TAPS} taps, not {kernel_taps}"
        )
    energy = energies(weights)
    if central:
        if kernel_taps % 2 == 0:
            raise SchemeError(f"kernels of {kernel_taps} taps have none in their centre")
        energy[..., kernel_taps // 2] = np.inf
    census = Census.of(strongest(energy, taps))
    library = census.codes[census.exact(taps)[:patterns]]
    return [tuple(np.flatnonzero(row).tolist()) for row in taps_of(library, kernel_taps)]


def _channels_agree(kept: Bools, slack: float) -> bool:
    """Whether neighbouring channels of ``bool[..., C, T]`` keep the same, as in `BlockPunched`."""
    channels = kept.shape[2]
    pairs = unfold(fold(kept, 2, axis=2), 2, channels, axis=2)
    return bool(np.count_nonzero(pairs) <= (1 + slack) * np.count_nonzero(kept))


def _discover(census: Census, slack: float) -> tuple[int, int] | None:
    """Taps and number of patterns that these kernels show, None when they show none."""
    kernels = int(census.uses.sum())
    # With stray zeros, 8 patterns of 4 taps still make no more than 8 x 16 different kernels.
    if kernels == 0 or len(census.codes) > 16 * MOST_PATTERNS:
        return None
    bits, strays = census.bits, MOST_STRAYS * kernels
    taps = next(n for n in range(MOST_TAPS + 1) if census.uses[bits > n].sum() <= strays)
    nonzero = int((bits * census.uses).sum())
    # Single taps are scattered weights under another name.
    if taps < 2 or taps * kernels * (1 - MOST_PADDING) > nonzero:
        return None
    uses = census.uses[census.exact(taps)]
    # What hardly occurs beside the most frequent is a kernel with a stray weight and a stray zero.
    patterns = int(np.count_nonzero(uses > slack * uses[0]))
    while patterns <= MOST_PATTERNS:
        library = census.library(taps, patterns)
        if census.uses[~holds(library, census.codes).any(axis=1)].sum() <= strays:
            return taps, len(library)
        if len(library) < patterns:
            return None
        patterns *= 2
    return None

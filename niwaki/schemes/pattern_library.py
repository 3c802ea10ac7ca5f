"""Libraries of kernel patterns, discovered from weights.

What a kernel keeps is the code of an integer: bit t is set when it keeps tap t. A layer has few
different codes, so that all work here is on these and not on its kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .base import Bools

Codes = npt.NDArray[np.int64]

MOST_TAPS = 62  # bits of a code


def codes_of(kept: Bools) -> Codes:
    """``bool[..., T]`` to ``int64[...]``."""
    codes = np.zeros(kept.shape[:-1], dtype=np.int64)
    for tap in range(kept.shape[-1]):
        codes |= kept[..., tap].astype(np.int64) << tap
    return codes


def taps_of(codes: Codes, taps: int) -> Bools:
    """``int64[...]`` to ``bool[..., T]``, the inverse of `codes_of`."""
    return (codes[..., None] >> np.arange(taps) & 1).astype(np.bool_)


def holds(library: Codes, codes: Codes) -> Bools:
    """``bool[codes, patterns]``: whether the pattern keeps all that the kernel keeps."""
    return (codes[:, None] & ~library) == 0


@dataclass(frozen=True, eq=False)
class Census:
    """The different codes of a layer's kernels, removed ones left out.

    Attributes:
        taps: taps of a kernel.
        codes: ``[D]``, ascending.
        uses: ``[D]``, how many kernels have each.
        where: index into `codes` of each kernel; D for removed ones. Shape of the kernels.
    """

    taps: int
    codes: Codes
    uses: Codes
    where: Codes

    @classmethod
    def of(cls, kept: Bools) -> Census:
        """That of ``bool[..., T]``."""
        every = codes_of(kept)
        codes, where, uses = np.unique(every, return_inverse=True, return_counts=True)
        where = where.reshape(every.shape)
        if codes.size and codes[0] == 0:
            where = np.where(where == 0, codes.size, where) - 1
            codes, uses = codes[1:], uses[1:]
        return cls(kept.shape[-1], codes, uses, where)

    @property
    def bits(self) -> npt.NDArray[np.uint8]:
        """Taps that each code keeps."""
        return np.bitwise_count(self.codes)

    def exact(self, taps: int) -> Codes:
        """Indices of the codes of exactly so many taps, most used first."""
        found = np.flatnonzero(self.bits == taps)
        return found[np.argsort(-self.uses[found], kind="stable")]

    def library(self, taps: int, patterns: int) -> Codes:
        """At most so many patterns of exactly so many taps, most used first.

        First what kernels keep exactly; then, while there is room, patterns for kernels that keep
        less and fit none yet.
        """
        library = self.codes[self.exact(taps)[:patterns]]
        fewer = np.flatnonzero(self.bits < taps)
        # Most taps first, then most used: what is left over fits more often into what is there.
        fewer = fewer[np.lexsort((-self.uses[fewer], -self.bits[fewer].astype(np.int64)))]
        waiting = self.codes[fewer]
        while len(library) < patterns:
            waiting = waiting[~holds(library, waiting).any(axis=1)]
            if not len(waiting):
                break
            library = np.append(library, merge(waiting, taps, self.taps))
        return library


def merge(codes: Codes, taps: int, kernel_taps: int) -> int:
    """A pattern of so many taps that holds the first code, and others while there is room.

    Filled up with the first taps.
    """
    pattern = 0
    for code in codes.tolist():
        if (pattern | code).bit_count() <= taps:
            pattern |= code
    for tap in range(kernel_taps):
        if pattern.bit_count() < taps:
            pattern |= 1 << tap
    return pattern

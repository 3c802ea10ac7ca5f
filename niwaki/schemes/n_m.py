"""Of every m consecutive input channels n are kept, for each filter and tap.

NVIDIA's sparse tensor cores take 2:4 (https://arxiv.org/abs/2104.08378). Channels are the fastest
axis there, which makes these also neighbours in a row of the weight matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Bools, Scheme, SchemeError, Shape, Weights, check_shape, register
from .folding import energies, fold_sum, pad, strongest

# Channels that detection tries, each twice the one before.
EVERY = (2, 4, 8, 16, 32)


@register
@dataclass(frozen=True)
class NM(Scheme):
    """Stores the nonzeros, of which no m consecutive channels have more than n.

    The m channels count from a group's first; at its end there may be fewer. Unlike blocks, a
    single weight too many is refused: hardware that takes the format has no place for it.
    """

    n: int
    m: int

    name: ClassVar[str] = "n_m"
    rank: ClassVar[int] = 90

    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        channels = nonzero.shape[1]
        live = np.flatnonzero(nonzero.any(axis=(1, 2)))
        counts = nonzero[live].view(np.uint8)
        total = int(np.count_nonzero(counts))
        for m in EVERY:
            counts = fold_sum(counts, 2, axis=1)
            if m > channels or total == 0:
                return
            n = int(counts.max())
            # Full everywhere, or else scattered weights would do.
            last = min(n, channels % m)
            full = counts.shape[2] * len(live) * (channels // m * n + last)
            if n < m and full <= (1 + slack) * total:
                yield cls(n, m)
                return

    def __str__(self) -> str:
        return f"{self.name}({self.n}:{self.m})"

    def check_parameters(self) -> None:
        if not 1 <= self.n <= self.m:
            raise SchemeError(f"{self} keeps {self.n} of {self.m}: choose from 1 to {self.m}")

    def verify(self, nonzero: Bools, groups: int = 1) -> None:
        super().verify(nonzero, groups)
        most = int(fold_sum(nonzero.astype(np.int32), self.m, axis=1).max())
        if most > self.n:
            raise SchemeError(f"{most} of {self.m} consecutive channels are kept, more than {self}")

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return 1

    def describe(self) -> str:
        return f"as {self.n} of every {self.m} input channels"

    def _mask(self, nonzero: Bools) -> Bools:
        return nonzero.copy()


def n_m_mask(weights: Weights, n: int, m: int) -> Bools:
    """What stays when of every `m` channels the `n` strongest are kept, for each filter and tap.

    The projection of ``weights[F, C, T]`` onto ``NM(n, m)``; of equals the first stays, and NaN
    counts as infinite. Of fewer channels at the end `n` are kept too, or all.

    Raises:
        SchemeError: `n` is not between 1 and `m`, or the weights have no shape of a layer.
    """
    NM(n, m).check_parameters()
    filters, channels, taps = check_shape(weights.shape)
    # What fills the last channels up is weaker than any weight.
    energy = pad(energies(weights).transpose(0, 2, 1), m, axis=2, value=-1.0)
    kept = strongest(energy.reshape(filters, taps, -1, m), n).reshape(energy.shape)
    return np.ascontiguousarray(kept[:, :, :channels].transpose(0, 2, 1))

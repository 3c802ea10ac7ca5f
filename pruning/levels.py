"""Discrete levels for weights, as the states of memristor cells allow.

    weight = +- scale * magnitude,    one of a few magnitudes, none of them zero

A cell conducts between 1 / R_max and 1 / R_min, in 2^b evenly spaced states. Two crossbars make
signed weights of it, one for positive and one for negative ones (https://arxiv.org/abs/1908.11691).
Cells are bundled for more bits: with 4 bits each, the first counts 16 times as much as the second,
which makes 256 states just as evenly spaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from niwaki.errors import NiwakiError

EVEN = "even"
MOST_BITS = 9
STARTS, SMALLEST_START = 64, 1 / 16  # scales that are tried, in parts of the largest weight
ROUNDS = 8  # of nearest levels, then the best scale for them


@dataclass(frozen=True)
class Levels:
    """Which magnitudes weights may have, in parts of the largest.

    Attributes:
        bits: of a weight, its sign among them: 2^(bits - 1) magnitudes.
        cell_bits: of a cell; a weight has as many cells as its magnitude fills.
        least: the smallest magnitude, R_min / R_max of a cell.
        states: ``even``, evenly spaced magnitudes; or measured ones of cells that are not bundled,
            in any unit, as in ``0.12/0.4/0.75/1``. Without zero, since a weight that stays is not
            zero.
        per_filter: each filter has a scale of its own; without it each layer has.

    Raises:
        NiwakiError: a number is out of range.
    """

    bits: int = 5
    cell_bits: int = 4
    least: float = 0.1
    states: str = EVEN
    per_filter: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= MOST_BITS or self.cell_bits < 1:
            raise NiwakiError(
                f"weights have 2 to {MOST_BITS} bits, their sign among them, and cells 1 or more, "
                f"not {self.bits} and {self.cell_bits}"
            )
        if self.bits - 1 > self.cell_bits and (self.bits - 1) % self.cell_bits:
            fits = self.cell_bits * ((self.bits - 1) // self.cell_bits) + 1
            raise NiwakiError(
                f"weights of {self.bits} bits, one of them the sign, do not fill cells of "
                f"{self.cell_bits} bits: choose {fits} or {fits + self.cell_bits}"
            )
        if not 0 < self.least < 1:
            raise NiwakiError(
                f"the smallest level is above 0 and below 1, the largest, not {self.least:g}"
            )
        if not self.magnitudes.isfinite().all() or not (self.magnitudes > 0).all():
            raise NiwakiError(f"states of cells are finite and above 0, not {self.states}")

    @cached_property
    def magnitudes(self) -> Tensor:
        """``float32[M]``, ascending; the last is 1."""
        if self.states == EVEN:
            count = 2 ** (self.bits - 1)
            return torch.linspace(self.least, 1, count)
        try:
            values = sorted({float(state) for state in self.states.split("/")})
        except ValueError:
            raise NiwakiError(
                f"states of cells are even, or numbers as in 0.12/0.4/0.75/1, not '{self.states}'"
            ) from None
        return torch.tensor(values) / values[-1]

    @property
    def cells(self) -> int:
        """Of a weight, on the crossbar of its sign."""
        return 1 if self.states != EVEN else max(1, (self.bits - 1) // self.cell_bits)

    def cell_shares(self, magnitudes: Tensor) -> Tensor:
        """Conductances of the cells of magnitudes ``[N]``, in parts of the largest, ``[N, cells]``.

        The first counts most.
        """
        if self.cells == 1:
            return magnitudes[:, None]
        states = 2**self.cell_bits
        numbers = (magnitudes - self.least) / (1 - self.least) * (states**self.cells - 1)
        places = states ** torch.arange(self.cells - 1, -1, -1, device=magnitudes.device)
        digits = numbers.round().long()[:, None] // places % states
        return self.least + (1 - self.least) * digits / (states - 1)

    def nearest(self, values: Tensor) -> Tensor:
        """Of each value the nearest level of scale 1; zero becomes the smallest positive one.

        NaN stays, so that whoever looks for it finds it.
        """
        magnitudes = self.magnitudes.to(values.device, values.dtype)
        middles = (magnitudes[1:] + magnitudes[:-1]) / 2
        found = magnitudes[torch.bucketize(values.abs(), middles, out_int32=True)]
        return found.copysign(values).where(~values.isnan(), values)

    def scale(self, weight: Tensor, mask: Tensor) -> Tensor:
        """The scale with the smallest squared error over the weights of the mask, or nearly.

        From several starts, each improved by turns: nearest levels, then the best scale for them.
        The last start has all weights at the smallest level, where the scale exceeds them all.

        Args:
            weight, mask: ``[F, ...]``.

        Returns:
            ``[1, 1, ...]``, or ``[F, 1, ...]`` for scales of filters; 1 where nothing is kept.

        Raises:
            NiwakiError: a weight is not finite.
        """
        if not bool(weight.isfinite().all()):
            raise NiwakiError("weights that are not finite have no nearest levels")
        rows = len(weight) if self.per_filter else 1
        kept = weight.detach().masked_fill(~mask, 0).abs().double().reshape(rows, -1)
        ordered = kept.sort(dim=1).values
        sums = functional.pad(ordered.cumsum(dim=1), (1, 0))
        removed = (~mask).reshape(rows, -1).sum(dim=1)[:, None, None]
        magnitudes = self.magnitudes.to(kept)
        middles = (magnitudes[1:] + magnitudes[:-1]) / 2

        def best(scales: Tensor) -> tuple[Tensor, Tensor]:
            """For scales ``[rows, S]`` the best ones for their levels, and what those gain."""
            edges = (scales[..., None] * middles).reshape(rows, -1)
            found = torch.searchsorted(ordered, edges).reshape(*scales.shape, -1)
            # Removed weights come first and belong to no level.
            ends = functional.pad(torch.maximum(found, removed), (0, 1), value=kept.shape[1])
            ends = torch.cat([removed.expand(*scales.shape, 1), ends], dim=2)
            totals = sums.gather(1, ends.reshape(rows, -1)).reshape(ends.shape)
            product = totals.diff(dim=2) @ magnitudes
            energy = ends.diff(dim=2).to(kept) @ magnitudes.square()
            # The squared error is smaller than without levels by product^2 / energy.
            return (product / energy).nan_to_num(1), (product.square() / energy).nan_to_num(0)

        largest_start = 1 / magnitudes[0]
        steps = torch.linspace(0, 1, STARTS).to(kept)
        starts = SMALLEST_START * (largest_start / SMALLEST_START) ** steps
        scales = ordered[:, -1:] * starts
        for _ in range(ROUNDS):
            scales, gains = best(scales)
        chosen = scales.gather(1, gains.argmax(dim=1, keepdim=True))
        chosen = torch.where(chosen > 0, chosen, 1).to(weight.dtype)
        return chosen.reshape(rows, *[1] * (weight.dim() - 1))

    def rescale(self, weight: Tensor, level: Tensor, scale: Tensor) -> Tensor:
        """The best scale for weights at these levels, zero where they are removed.

        The scale before stays where nothing is kept.
        """
        shared = tuple(range(1 if self.per_filter else 0, weight.dim()))
        product = (weight * level).sum(dim=shared, keepdim=True)
        energy = level.square().sum(dim=shared, keepdim=True)
        return torch.where(product > 0, product / energy, scale)

"""Weights that are kept or removed together: blocks of filters x channels x taps.

Blocks(groups=1, filters=8, channels=4, taps=1).energies(weight)   # [1, F / 8, C / 4, T]
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Blocks:
    """The weights ``W[F, C, T]`` of a layer, cut into equal blocks; the last may be smaller.

    Blocks count from the first filter and channel of each of the layer's `groups`.

    Attributes:
        flat: cut the weight matrix with columns (channel, tap); `channels` are columns then.
    """

    groups: int
    filters: int
    channels: int
    taps: int
    flat: bool = False

    def energies(self, weight: Tensor) -> Tensor:
        """Sum of squares of each block: ``[groups, blocks of filters, of channels, of taps]``.

        Gradients flow through it.
        """
        return self._sums(weight.square())

    def counts(self, weight: Tensor) -> Tensor:
        """How many weights each block has; of the shape of `energies`."""
        return self._sums(weight.new_ones(weight.shape))

    def spread(self, values: Tensor, weight: Tensor) -> Tensor:
        """To each weight the value of its block, from a tensor of the shape of `energies`.

        Gradients flow through it.
        """
        for dim, length in enumerate(self._view(weight).shape[1:], 1):
            size = min(self._sizes[dim - 1], length)
            values = values.repeat_interleave(size, dim).narrow(dim, 0, length)
        return values.reshape(weight.shape)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        return self.filters, self.channels, self.taps

    def _view(self, values: Tensor) -> Tensor:
        """As ``[groups, filters, channels, taps]``."""
        taps = 1 if self.flat else values[0, 0].numel()
        return values.reshape(self.groups, len(values) // self.groups, -1, taps)

    def _sums(self, values: Tensor) -> Tensor:
        view, sizes = self._view(values), self._sizes
        missing = [-length % size for length, size in zip(view.shape[1:], sizes, strict=True)]
        # PyTorch pads from the last axis on: (before, behind) of each.
        view = functional.pad(view, [n for behind in reversed(missing) for n in (0, behind)])
        cut = zip(view.shape[1:], sizes, strict=True)
        blocks = [n for length, size in cut for n in (length // size, size)]
        return view.reshape(self.groups, *blocks).sum(dim=(2, 4, 6))

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

    def _sums(self, values: Tensor) -> Tensor:
        taps = 1 if self.flat else values[0, 0].numel()
        view = values.reshape(self.groups, len(values) // self.groups, -1, taps)
        sizes = (self.filters, self.channels, self.taps)
        missing = [-length % size for length, size in zip(view.shape[1:], sizes, strict=True)]
        # PyTorch pads from the last axis on: (before, behind) of each.
        view = functional.pad(view, [n for behind in reversed(missing) for n in (0, behind)])
        cut = zip(view.shape[1:], sizes, strict=True)
        blocks = [n for length, size in cut for n in (length // size, size)]
        return view.reshape(self.groups, *blocks).sum(dim=(2, 4, 6))

"""The arithmetic of transposed convolutions as ordinary ones.

Along one dimension a transposed convolution of stride s adds x[q] * w[tap] to y[o] where

    o = s * q + dilation * tap - padding

Write o as ``s * row + phase``. Each of the s phases of y is then an ordinary convolution of x: tap
reads x at ``row + offset`` with

    offset = (phase + padding - dilation * tap) / s

and belongs to that phase for which this is a whole number. One layer computes all phases, each as
filters of its own, with zeros where a phase has no tap. This is the sub-pixel form of Shi et al.,
"Is the deconvolution layer the same as a convolutional layer?" (2016).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Axis:
    """One spatial dimension of a transposed convolution.

    Attributes:
        size: of the input.
        taps: of the kernel.
        output_padding: how much longer than necessary the result is.
    """

    size: int
    taps: int
    stride: int
    padding: int
    dilation: int
    output_padding: int

    @property
    def reach(self) -> int:
        """Distance from the first tap to the last."""
        return self.dilation * (self.taps - 1)

    @property
    def result(self) -> int:
        """Size of the result."""
        return (
            self.stride * (self.size - 1) + self.reach + 1 + self.output_padding - 2 * self.padding
        )

    @property
    def rows(self) -> int:
        """Size of each phase of the result; the last one may have a position too many."""
        return -(-self.result // self.stride)

    @property
    def step(self) -> int:
        """Distance from tap to tap of the ordinary convolution."""
        return self.dilation if self.stride == 1 and self.padding <= self.reach else 1

    def places(self) -> list[tuple[int, int, int]]:
        """(phase, tap, offset) for each place where a phase has a tap of the kernel."""
        found = []
        for phase in range(self.stride):
            for tap in range(self.taps):
                offset, rest = divmod(phase + self.padding - self.dilation * tap, self.stride)
                if rest == 0:
                    found.append((phase, tap, offset))
        return found

    def window(self) -> range:
        """Offsets of the taps, zeros among them: wide enough that no side is cropped."""
        offsets = [offset for _, _, offset in self.places()]
        first, last = min(0, *offsets), max(self.size - self.rows, *offsets)
        return range(first, last + 1, self.step)

    def sides(self) -> tuple[int, int]:
        """Zeros before and after the input."""
        window = self.window()
        return -window[0], self.rows - self.size + window[-1]


def ordinary_weight(weight: torch.Tensor, axes: Sequence[Axis], groups: int) -> torch.Tensor:
    """The weights of all phases.

    From channels x filters of a group x taps to (groups x phases x filters of a group) x channels
    of a group x taps.
    """
    grouped = weight.unflatten(0, (groups, -1)).transpose(1, 2)
    windows = [axis.window() for axis in axes]
    phases, taps = [axis.stride for axis in axes], [len(window) for window in windows]
    result = weight.new_zeros(groups, *phases, *grouped.shape[1:3], *taps)
    all_, all_kernels = slice(None), (slice(None), slice(None))
    for place in itertools.product(*[axis.places() for axis in axes]):
        phase, tap, offset = zip(*place, strict=True)
        new = map(range.index, windows, offset)
        result[(all_, *phase, *all_kernels, *new)] = grouped[(all_, *all_kernels, *tap)]
    return result.flatten(0, len(axes) + 1)

"""Batches of digit strings as frames, varied as training wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from digit_strings import DigitStrings, Spoken
from front_end import BANDS, log_mel
from torch import Tensor

# How training varies frames: bands move as another throat would move them, and parts are hidden.
WARP, SHIFT = 0.1, 2.0  # of the bands' numbers
TONE = 0.15  # deviation of a random smooth filter
HIDDEN_BANDS, HIDDEN_FRAMES, TIMES = 5, 5, 2

Targets = Callable[[list[Spoken], int], tuple[tuple[Tensor, ...], Tensor]]


@dataclass(frozen=True)
class StringBatches:
    """Batches ``((frames, lengths, ...), targets)`` of strings, drawn anew in each epoch.

    Attributes:
        strings: to draw from.
        targets: makes what follows frames and lengths, and the targets, of a batch and the number
            of its frames.
        batch: strings in one.
        count: batches in an epoch.
        multiple: of which the number of frames is one.
    """

    strings: DigitStrings
    targets: Targets
    batch: int
    count: int
    multiple: int = 1

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        random = np.random.default_rng(int(torch.randint(2**31, ())))
        for _ in range(self.count):
            spoken = [self.strings.draw() for _ in range(self.batch)]
            frames = [varied(log_mel(one.samples), random) for one in spoken]
            padded, lengths = joined(frames, self.multiple)
            more, targets = self.targets(spoken, padded.shape[1])
            yield (padded, lengths, *more), targets


def joined(frames: list[np.ndarray], multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Frames ``[N, T, BANDS]``, zeros behind each recording's end, and their numbers ``[N]``."""
    lengths = [len(one) for one in frames]
    steps = -(-max(lengths) // multiple) * multiple
    padded = np.zeros((len(frames), steps, BANDS), np.float32)
    for row, one in zip(padded, frames, strict=True):
        row[: len(one)] = one
    return torch.from_numpy(padded), torch.tensor(lengths)


def varied(frames: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Frames ``[T, BANDS]`` of another speaker and room, partly hidden (SpecAugment)."""
    bands = np.arange(BANDS)
    places = bands * (1 + random.uniform(-WARP, WARP)) + random.uniform(-SHIFT, SHIFT)
    places = places.clip(0, BANDS - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, BANDS - 1)
    share = places - below
    moved = frames[:, below] * (1 - share) + frames[:, above] * share
    tone = np.interp(bands, np.linspace(0, BANDS - 1, 5), TONE * random.standard_normal(5))
    moved = (moved + tone).astype(np.float32)
    _hide(moved.T, HIDDEN_BANDS, random)
    for _ in range(TIMES):
        _hide(moved, HIDDEN_FRAMES, random)
    return moved


def _hide(rows: np.ndarray, most: int, random: np.random.Generator) -> None:
    first = random.integers(len(rows))
    rows[first : first + random.integers(most)] = 0

"""Spoken digits as log-mel spectra, and how training varies them.

What is hard about them is a speaker that training has not heard, so whole speakers are held out.
"""

from __future__ import annotations

import numpy as np
import torch
from data_sets import SpokenDigits
from front_end import FILTERS, WINDOW
from gru import BANDS, FRAMES
from torch import Tensor

HOP = 240  # samples: 30 ms
FLOOR = 1e-4  # of the strongest energy in a clip: 40 dB below it

# How training varies spectra, at most.
MASKED_FRAMES, MASKED_BANDS = 5, 5
STRETCH, SHIFT_FRAMES = 0.2, 2.5  # of time
SCALE, SHIFT_BANDS = 0.1, 2.0  # of pitch
LOUDNESS, TILT, NOISE = 0.3, 0.5, 0.1


def log_mel(clip: np.ndarray) -> np.ndarray:
    """Logarithms of energies, float32 [FRAMES, BANDS], of mean 0 and deviation 1 over the clip.

    Longer clips lose their end, shorter ones are followed by their quietest value.
    """
    samples = clip.astype(np.float32) / 32768
    samples = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:FRAMES]
    energies = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2 @ FILTERS
    bands = np.log(energies / energies.max() + FLOOR)
    bands = (bands - bands.mean()) / bands.std()
    missing = ((0, FRAMES - len(bands)), (0, 0))
    return np.pad(bands, missing, constant_values=bands.min()).astype(np.float32)


def split(digits: SpokenDigits, held_out: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Spectra and labels of the other speakers, then those of the ones that are held out."""
    spectra = torch.from_numpy(np.stack([log_mel(clip) for clip in digits.clips]))
    labels = torch.from_numpy(digits.labels)
    test = torch.from_numpy(np.isin(digits.speakers, held_out))
    return spectra[~test], labels[~test], spectra[test], labels[test]


def augment(spectra: Tensor) -> Tensor:
    """Spectra [N, FRAMES, BANDS] with other speed, pitch, loudness and tone, partly hidden.

    Hiding is SpecAugment's (https://arxiv.org/abs/1904.08779).
    """
    count = len(spectra)
    clips = torch.arange(count)[:, None, None]
    frames = torch.arange(FRAMES) * (1 + _random(count, STRETCH)) + _random(count, SHIFT_FRAMES)
    frames = frames.round().long().clamp(0, FRAMES - 1)[:, :, None]
    bands = torch.arange(BANDS) * (1 + _random(count, SCALE)) + _random(count, SHIFT_BANDS)
    below = bands.floor()
    above_share = (bands - below)[:, None]
    low, high = (b.long().clamp(0, BANDS - 1)[:, None] for b in (below, below + 1))
    moved = spectra[clips, frames, low].lerp(spectra[clips, frames, high], above_share)
    loudness = LOUDNESS * torch.randn(count, 1, 1)
    tilt = _random(count, TILT)[:, :, None] * torch.linspace(-1, 1, BANDS)
    moved = moved + loudness + tilt + NOISE * torch.randn(moved.shape)
    hidden = _hidden(FRAMES, MASKED_FRAMES, count)[:, :, None]
    hidden = hidden | _hidden(BANDS, MASKED_BANDS, count)[:, None, :]
    return moved.masked_fill(hidden, 0)


def _random(count: int, most: float) -> Tensor:
    """Evenly between -most and most, [count, 1]."""
    return (2 * torch.rand(count, 1) - 1) * most


def _hidden(length: int, most: int, count: int) -> Tensor:
    """Bools [count, length] with one run of up to `most`."""
    first = torch.randint(0, length, (count, 1))
    size = torch.randint(0, most + 1, (count, 1))
    places = torch.arange(length)
    return (places >= first) & (places < first + size)

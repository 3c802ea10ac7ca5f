"""Strings of one to five spoken digits, joined from clips of single ones.

Speakers 0 and 1 are held out: training never hears them. Of the others, the data set's own test
clips are kept to watch training and to fit what must not see what was learnt by heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data_sets import SpokenDigits, read_clips, read_spoken_digits
from front_end import HOP, RATE
from recogniser import FRAMES

CLIPS = Path(__file__).with_name("data") / "digit_clips.npz"
HELD_OUT = (0, 1)  # speakers
KEPT_TAKES = 5  # of each speaker and digit the first so many are the data set's test
LONGEST = 5  # digits
SAMPLES = FRAMES * HOP  # of the longest string
GAP = 0.25  # seconds between digits, at most
SPEED = 0.2  # how much faster or slower training makes them, at most
LOUDNESS = 1.5  # and louder or quieter, as a logarithm


@dataclass(frozen=True)
class Spoken:
    """A recording.

    Attributes:
        samples: int16 at 8 kHz.
        digits: what is said.
        spans: first and last sample of each digit.
    """

    samples: np.ndarray
    digits: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class DigitStrings:
    """Draws strings, each of one speaker's clips.

    Args:
        digits: all clips.
        chosen: numbers of those to draw from.
        seed: the same one draws the same strings.
        varied: with other speed, loudness and noise in each string, as training wants.
    """

    def __init__(
        self, digits: SpokenDigits, chosen: np.ndarray, seed: int, *, varied: bool
    ) -> None:
        self.digits, self._varied = digits, varied
        self._random = np.random.default_rng(seed)
        speakers = digits.speakers[chosen]
        self.by_speaker = [chosen[speakers == speaker] for speaker in np.unique(speakers)]

    def draw(self) -> Spoken:
        """The next string."""
        while True:
            drawn = self._draw()
            if len(drawn.samples) <= SAMPLES:
                return drawn

    def _draw(self) -> Spoken:
        random = self._random
        of_speaker = self.by_speaker[random.integers(len(self.by_speaker))]
        clips = random.choice(of_speaker, random.integers(1, LONGEST + 1))
        pieces, spans = [self._gap()], []
        for clip in clips:
            samples = self.digits.clips[clip].astype(np.float64)
            if self._varied:
                samples = resampled(samples, 1 + random.uniform(-SPEED, SPEED))
            begin = sum(map(len, pieces))
            spans.append((begin, begin + len(samples) - 1))
            pieces += [samples, self._gap()]
        joined = np.concatenate(pieces)
        if self._varied:
            joined *= np.exp(random.uniform(-LOUDNESS, LOUDNESS))
            noise = np.abs(joined).mean() * 10 ** random.uniform(-2.5, -0.5)
            joined += noise * random.standard_normal(len(joined))
        said = tuple(int(label) for label in self.digits.labels[clips])
        return Spoken(np.clip(joined, -32768, 32767).astype(np.int16), said, tuple(spans))

    def _gap(self) -> np.ndarray:
        return np.zeros(self._random.integers(int(GAP * RATE)))


def shipped_strings(seed: int = 0) -> DigitStrings:
    """Strings of the few clips beside this file, all of them of speakers that are held out."""
    digits = read_clips(CLIPS)
    chosen = np.arange(len(digits.labels))
    return DigitStrings(digits, chosen, seed, varied=False)


@dataclass(frozen=True)
class Strings:
    """What to train on, to watch training with, and to test with."""

    train: DigitStrings
    kept: DigitStrings
    test: DigitStrings


def digit_strings(folder: Path) -> Strings:
    """Strings of the data set in `folder`."""
    digits = read_spoken_digits(folder)
    clips = np.arange(len(digits.labels))
    held_out = np.isin(digits.speakers, HELD_OUT)
    kept = digits.takes < KEPT_TAKES

    def strings(chosen: np.ndarray, seed: int, varied: bool = False) -> DigitStrings:
        return DigitStrings(digits, clips[chosen], seed, varied=varied)

    return Strings(
        strings(~held_out & ~kept, 0, varied=True),
        strings(~held_out & kept, 1),
        strings(held_out, 2),
    )


def resampled(samples: np.ndarray, speed: float) -> np.ndarray:
    """The same sound, so many times as fast and as high."""
    places = np.arange(0, len(samples) - 1, speed)
    return np.interp(places, np.arange(len(samples)), samples)

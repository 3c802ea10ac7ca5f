"""Sounds that a recogniser of digits was not trained on, made from strings of digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from digit_strings import resampled
from front_end import RATE

Random = np.random.Generator
Change = Callable[[np.ndarray, Random], np.ndarray]

WOBBLE = 0.7  # of the logarithm of speed
SYLLABLE = RATE // 2  # samples from one speed to the next


def noise(samples: np.ndarray, random: Random) -> np.ndarray:
    """White noise, as long and as loud."""
    return random.standard_normal(len(samples)) * np.abs(samples).mean()


def hum(samples: np.ndarray, random: Random) -> np.ndarray:
    """A voice that says nothing: a tone with overtones, which rises and falls."""
    times = np.arange(len(samples))
    pitch = 120 * np.exp(0.3 * np.sin(2 * np.pi * times / RATE * random.uniform(0.3, 2)))
    phase = np.cumsum(2 * np.pi * pitch / RATE)
    return sum(np.sin(n * phase) / n for n in range(1, 12)) * np.abs(samples).mean()


def reversed_speech(samples: np.ndarray, random: Random) -> np.ndarray:
    """From its end to its beginning."""
    return samples[::-1]


def slow(samples: np.ndarray, random: Random) -> np.ndarray:
    """Slower and deeper, by 1.7."""
    return resampled(samples, 0.6)


def fast(samples: np.ndarray, random: Random) -> np.ndarray:
    """Faster and higher, by 1.8."""
    return resampled(samples, 1.8)


def wobbling(samples: np.ndarray, random: Random) -> np.ndarray:
    """With another prosody: speed and pitch rise and fall, by up to 2."""
    turns = np.arange(0, len(samples) + SYLLABLE, SYLLABLE)
    speeds = np.exp(random.uniform(-WOBBLE, WOBBLE, len(turns)))
    places = np.cumsum(np.interp(np.arange(len(samples)), turns, speeds))
    places = places[places < len(samples) - 1]
    return np.interp(places, np.arange(len(samples)), samples)


CHANGES: dict[str, Change] = {
    "white noise": noise,
    "a humming voice": hum,
    "reversed": reversed_speech,
    "slow and deep": slow,
    "fast and high": fast,
    "another prosody": wobbling,
}


def strange(samples: np.ndarray, change: Change, random: Random, longest: int) -> np.ndarray:
    """Changed samples, int16, at most so many."""
    changed = change(samples.astype(np.float64), random)[:longest]
    return np.clip(changed, -32768, 32767).astype(np.int16)

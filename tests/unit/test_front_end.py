"""The examples' front end: frames come as samples do, and are those of the whole recording."""

from __future__ import annotations

import numpy as np
import pytest
from front_end import BANDS, HOP, RATE, WINDOW, LogMel, log_mel
from hypothesis import given
from hypothesis import strategies as st


def recording(seconds: float, seed: int = 0) -> np.ndarray:
    """Tones that get louder and quieter, over a little noise."""
    random, times = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * 300 * times * (1 + 0.1 * times)) * np.sin(5 * times) ** 2
    return (9000 * tone + 30 * random.standard_normal(len(times))).astype(np.int16)


SAMPLES = recording(1.3)


@given(st.lists(st.integers(0, len(SAMPLES)), max_size=30))
def test_chunks_of_any_lengths_give_the_frames_of_the_whole(places: list[int]) -> None:
    front = LogMel()
    frames = [front(chunk) for chunk in np.split(SAMPLES, sorted(places))]
    np.testing.assert_allclose(np.concatenate(frames), log_mel(SAMPLES), atol=1e-6)


def test_frames_come_as_soon_as_their_samples() -> None:
    front = LogMel()
    assert len(front(SAMPLES[: WINDOW - 1])) == 0
    assert len(front(SAMPLES[WINDOW - 1 : WINDOW])) == 1
    assert len(front(SAMPLES[WINDOW : WINDOW + HOP - 1])) == 0
    assert len(front(SAMPLES[WINDOW + HOP - 1 :])) == len(log_mel(SAMPLES)) - 1


@pytest.mark.parametrize("samples", [0, 1, WINDOW - 1])
def test_too_short_for_a_frame(samples: int) -> None:
    assert log_mel(np.zeros(samples, np.int16)).shape == (0, BANDS)


def test_frames_are_within_bounds_and_do_not_depend_on_loudness() -> None:
    frames = log_mel(SAMPLES)
    assert frames.dtype == np.float32
    assert frames.min() >= -1
    assert frames.max() == 1
    loud = frames > -0.5  # the rest is what noise and rounding leave
    loud[:5] = False  # nothing loud has come yet
    np.testing.assert_allclose(log_mel(SAMPLES // 2)[loud], frames[loud], atol=0.1)
    assert (log_mel(np.zeros(RATE, np.int16)) == -1).all()


def test_pitch_is_a_place() -> None:
    def loudest(pitch: float) -> int:
        tone = 9000 * np.sin(2 * np.pi * pitch * np.arange(RATE) / RATE)
        return int(log_mel(tone.astype(np.int16)).mean(0).argmax())

    places = [loudest(pitch) for pitch in (150, 300, 600, 1200, 2400, 3600)]
    assert places == sorted(set(places))

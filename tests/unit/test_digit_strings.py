"""Strings of digits, as the speech examples draw and change them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from digit_strings import HELD_OUT, LONGEST, SAMPLES, DigitStrings, digit_strings, shipped_strings
from front_end import BANDS, HOP, WINDOW, log_mel
from recognise_frames import SILENCE, phone_targets, phones
from recogniser import FRAMES, MARK, STRIDE
from speech import errors
from speech_batches import StringBatches
from speech_training import IGNORED
from strange_sounds import CHANGES, strange
from train_recogniser import next_tokens


def test_strings_hold_what_they_say() -> None:
    strings = shipped_strings()
    clips = {clip.tobytes(): label for clip, label in zip(
        strings.digits.clips, strings.digits.labels, strict=True
    )}  # fmt: skip
    lengths = set()
    for _ in range(50):
        one = strings.draw()
        found = [one.samples[first : last + 1].tobytes() for first, last in one.spans]
        assert [clips[clip] for clip in found] == list(one.digits)
        assert len(one.samples) <= SAMPLES
        lengths.add(len(one.digits))
    assert lengths == set(range(1, LONGEST + 1))


def test_a_seed_tells_all_strings() -> None:
    first, again, other = (shipped_strings(seed).draw() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.digits != other.digits or len(first.samples) != len(other.samples)


def test_shipped_clips_are_held_out() -> None:
    assert set(shipped_strings().digits.speakers) == set(HELD_OUT)


@pytest.mark.requires_data
def test_no_speaker_is_trained_on_and_tested(data_folder: Path) -> None:
    strings = digit_strings(data_folder)
    speakers = [
        {int(strings.train.digits.speakers[clip]) for clips in one.by_speaker for clip in clips}
        for one in (strings.train, strings.kept, strings.test)
    ]
    assert speakers == [{2, 3, 4, 5}, {2, 3, 4, 5}, set(HELD_OUT)]
    train, kept = ({*np.concatenate(one.by_speaker)} for one in (strings.train, strings.kept))
    assert not train & kept
    assert len(train | kept) == 2000


def test_batches() -> None:
    torch.manual_seed(0)
    shipped = shipped_strings()
    strings = DigitStrings(shipped.digits, np.arange(20), 0, varied=True)
    batches = StringBatches(strings, next_tokens, batch=6, count=3, multiple=STRIDE)
    assert len(list(batches)) == len(batches) == 3
    (frames, lengths, told), targets = next(iter(batches))
    assert frames.shape[::2] == (6, BANDS)
    assert frames.shape[1] % STRIDE == 0
    assert lengths.max() <= frames.shape[1] <= FRAMES
    for one, count in zip(frames, lengths, strict=True):
        assert not one[count:].any()
    for before, after in zip(told, targets, strict=True):
        digits = after[(after != IGNORED) & (after != MARK)]
        assert (digits >= 1).all()
        assert before.tolist()[: len(digits) + 1] == [MARK, *digits.tolist()]
        assert after[len(digits)] == MARK


def test_phones_follow_one_another() -> None:
    strings = shipped_strings()
    for _ in range(10):
        one = strings.draw()
        found = phones(one, len(log_mel(one.samples)))
        changes = found[np.flatnonzero(np.diff(found, prepend=SILENCE))]
        expected = [1 + 3 * digit + third for digit in one.digits for third in range(3)]
        assert [phone for phone in changes if phone != SILENCE] == expected
        first, last = one.spans[0]
        inside = slice(-((WINDOW // 2 - first) // HOP), (last - WINDOW // 2) // HOP + 1)
        assert (found[inside] != SILENCE).all()
    (), targets = phone_targets([one], 300)
    assert targets.shape == (1, 300)
    assert targets[0, -1] == IGNORED


@pytest.mark.parametrize("name", CHANGES)
def test_strange_sounds(name: str) -> None:
    samples = shipped_strings().draw().samples
    one, again = (
        strange(samples, CHANGES[name], np.random.default_rng(0), SAMPLES) for _ in range(2)
    )
    assert one.dtype == np.int16
    assert 0.4 * len(samples) < len(one) <= SAMPLES
    np.testing.assert_array_equal(one, again)
    assert np.abs(one).max() > 0.1 * np.abs(samples).max()
    assert len(strange(samples, CHANGES[name], np.random.default_rng(0), 500)) == 500


@pytest.mark.parametrize(
    ("written", "said", "count"),
    [((), (), 0), ((1, 2), (0, 1), 0), ((1,), (0, 1), 1), ((1, 2, 3), (2,), 2), ((9, 9), (1, 2), 2),
     ((2, 3, 4), (1, 5, 2, 3), 1)],
)  # fmt: skip
def test_errors_are_edits(written: tuple[int, ...], said: tuple[int, ...], count: int) -> None:
    assert errors(written, said) == count

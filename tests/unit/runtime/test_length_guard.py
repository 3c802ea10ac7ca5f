"""Length guards: they learn how many tokens there are, and damaged files are told in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime.length_guard import LengthGuard, features

WIDTH = 6


def recording(random: np.random.Generator) -> tuple[np.ndarray, int]:
    """States in which each token is a bump, of 3 to 6 steps."""
    count = int(random.integers(0, 9))
    bumps = [np.sin(np.linspace(0, np.pi, random.integers(3, 7)))[:, None] for _ in range(count)]
    states = np.concatenate([np.full((2, 1), 0.1), *bumps]) * np.linspace(-1, 2, WIDTH)
    return (states + 0.02 * random.standard_normal(states.shape)).astype(np.float32), count


@pytest.fixture(scope="module")
def guard() -> LengthGuard:
    random = np.random.default_rng(0)
    states, counts = zip(*(recording(random) for _ in range(300)), strict=True)
    return LengthGuard.fit(states, counts)


def test_predicts_what_it_has_not_seen(guard: LengthGuard) -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        states, count = recording(random)
        assert abs(guard.predict(states) - count) < 1
        assert count < guard.limit(states) <= count + 3


def test_padding_and_batches_of_one_change_nothing(guard: LengthGuard) -> None:
    states, _ = recording(np.random.default_rng(2))
    padded = np.concatenate([states, np.zeros((9, WIDTH), np.float32)])
    assert guard.predict(padded[None]) == guard.predict(states)


def test_silence_is_not_an_error(guard: LengthGuard) -> None:
    assert guard.limit(np.zeros((1, 5, WIDTH), np.float32)) == max(
        0, int(np.ceil(guard.bias + guard.margin))
    )
    assert LengthGuard(np.zeros(4 * WIDTH), -7.0, 2.0).limit(np.ones((3, WIDTH))) == 0


def test_files(guard: LengthGuard, tmp_path: Path) -> None:
    path = tmp_path / "guard.safetensors"
    guard.save(path)
    assert set(load_file(path)) == {"weights", "bias_and_margin"}  # what the library reads
    again = niwaki.LengthGuard.load(path)
    states, _ = recording(np.random.default_rng(3))
    assert again.predict(states) == pytest.approx(guard.predict(states), abs=1e-4)
    assert again.margin == pytest.approx(guard.margin)
    # And what the library writes.
    save_file(load_file(path), path, metadata={"made": "here"})
    assert LengthGuard.load(path).predict(states) == again.predict(states)


def header(**entry: object) -> bytes:
    """A file of one tensor of eight bytes, and what its entry says."""
    whole = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **entry}
    text = json.dumps({"weights": whole}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no safetensors file, or damaged: it has no header"),
        (b"\xff" * 40, "is no safetensors file, or damaged: it has no header"),
        (bytes([9]) + bytes(7) + b'{"a": 1}', "it has no header"),
        ((1 << 20).to_bytes(8, "little") + b"[" * (1 << 20), "it has no header"),
        (bytes([2]) + bytes(7) + b"[]", "it has no header"),
        (bytes([9]) + bytes(7) + b'{"a": 12}', "is damaged: 'a' needs a shape and data_offsets"),
        (header(shape=[-2]), "is damaged: 'weights' needs a shape and data_offsets"),
        (header(shape=[True]), "is damaged: 'weights' needs a shape and data_offsets"),
        (header(data_offsets=[0]), "is damaged: 'weights' needs a shape and data_offsets"),
        (header(dtype="F64"), "'weights' is not of dtype F32: store it as float32"),
        (header(shape=[3]), "is damaged: 'weights' is not as large as its shape"),
        (header(data_offsets=[8, 16]), "is damaged: 'weights' is not as large as its shape"),
        (header(data_offsets=[4, 0]), "is damaged: 'weights' is not as large as its shape"),
        (header(shape=[0] * 99, data_offsets=[0, 0]), "'weights' has a shape of no array"),
        (header(shape=[1], data_offsets=[4, 8]), "does not tell what all its values are"),
        (header(), "is no length guard: LengthGuard.save writes one"),
    ],
)
def test_damaged_files(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "guard.safetensors"
    path.write_bytes(content)
    with pytest.raises(NiwakiError, match=message) as error:
        LengthGuard.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_any_damage_is_told(guard: LengthGuard, tmp_path: Path) -> None:
    """Truncated anywhere, or with one byte of the header changed: refused, or the same shapes."""
    path = tmp_path / "guard.safetensors"
    guard.save(path)
    whole = path.read_bytes()
    values_at = 8 + int.from_bytes(whole[:8], "little")
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(NiwakiError):
            LengthGuard.load(path)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[random.integers(values_at)] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert LengthGuard.load(path).weights.shape == guard.weights.shape
        except NiwakiError:
            continue


def test_other_tensors_make_no_guard(tmp_path: Path) -> None:
    path = tmp_path / "guard.safetensors"
    for tensors, message in (
        ({"weights": np.ones(4)}, "is no length guard"),
        ({"weights": np.ones((2, 2)), "bias_and_margin": np.ones(2)}, "is no length guard"),
        ({"weights": np.ones(0), "bias_and_margin": np.ones(2)}, "is no length guard"),
        ({"weights": np.ones(4), "bias_and_margin": np.ones(3)}, "is no length guard"),
        ({"weights": np.ones(6), "bias_and_margin": np.ones(2)}, "is no length guard"),
        ({"bias_and_margin": np.ones(2)}, "is no length guard"),
        ({"weights": np.full(4, np.inf), "bias_and_margin": np.ones(2)}, "are not finite"),
    ):  # fmt: skip
        save_file({name: value.astype(np.float32) for name, value in tensors.items()}, path)
        with pytest.raises(NiwakiError, match=message):
            LengthGuard.load(path)


def test_files_that_cannot_be_read(tmp_path: Path, guard: LengthGuard) -> None:
    for path, message in (
        (tmp_path / "none", "none does not exist"),
        (tmp_path, "cannot read .*: Is a directory"),
        ("a\0b", "cannot read .*: embedded null byte"),
        (None, "path is the path of a file, not None"),
    ):  # fmt: skip
        with pytest.raises(NiwakiError, match=message):
            LengthGuard.load(path)  # type: ignore[arg-type]
    with pytest.raises(NiwakiError, match="cannot write"):
        guard.save(tmp_path / "none" / "guard.safetensors")


def test_other_states_are_refused(guard: LengthGuard) -> None:
    with pytest.raises(
        NiwakiError,
        match=r"for states of 6 numbers, and these are float64\[3, 5\]: fit one to this encoder",
    ):
        guard.predict(np.ones((3, 5)))
    for states in (np.zeros(0), np.ones(6), np.ones((2, 3, 6)), np.full((3, 6), "one")):
        with pytest.raises(NiwakiError, match="reads states of shape 1xSxC"):
            guard.predict(states)
    for number in (np.nan, -np.inf):
        with pytest.raises(NiwakiError, match="these hold NaN or infinity: look at the encoder's"):
            guard.predict(np.full((1, 3, 6), number, np.float32))


def test_what_fits_a_guard() -> None:
    states = [np.ones((3, 2))] * 12
    for count in (9, 11):
        with pytest.raises(NiwakiError, match=f"of 10 recordings or more, not to {count} and 12"):
            LengthGuard.fit(states[:count], range(12))
    with pytest.raises(NiwakiError, match="of one encoder, all of one width"):
        LengthGuard.fit([*states[:11], np.ones((3, 4))], range(12))
    for wrong in (np.nan, 1.5, -1, "a", None, True):
        with pytest.raises(NiwakiError, match="each of lengths is a whole number from 0 on, not"):
            LengthGuard.fit(states, [wrong] * 12)  # type: ignore[list-item]
    for others, lengths in ((None, [1]), (states, None), (states, 5), (iter(states), [1] * 12)):
        with pytest.raises(NiwakiError, match=r"^(states is arrays|lengths is numbers), one"):
            LengthGuard.fit(others, lengths)  # type: ignore[arg-type]
    assert LengthGuard.fit(states, list(np.arange(12))).margin > 0


def test_features() -> None:
    states = np.array([[0.0, 1.0], [2.0, -1.0], [1.0, 0.0], [0.0, 0.0]])
    expected = [3, 0, 3, 3, 1, 0, 2, 1]  # sums, moves, last ones, largest ones
    np.testing.assert_array_equal(features(states), expected)

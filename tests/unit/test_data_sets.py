"""Data sets are read as their makers write them, and batches hold what they should."""

from __future__ import annotations

import gzip
import importlib
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from data_sets import (
    Batches,
    MovedImages,
    SpokenDigits,
    data_folder,
    normalised,
    read_cifar10,
    read_fashion_mnist,
    read_spoken_digits,
)
from gru import BANDS, FRAMES
from PIL import Image
from repository import ROOT
from spoken_digits import augment, log_mel, split

from niwaki.errors import NiwakiError

EXAMPLES = ROOT / "examples"


def test_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIWAKI_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    assert data_folder(tmp_path / "..") == tmp_path / ".."
    with pytest.raises(NiwakiError, match=r"^no data: .*/none is no folder; name that of data"):
        data_folder(tmp_path / "none")
    monkeypatch.delenv("NIWAKI_DATA")
    with pytest.raises(NiwakiError, match=r"^no data: name the folder .* or in NIWAKI_DATA$"):
        data_folder()


@pytest.mark.parametrize(
    "name", [path.stem for path in EXAMPLES.glob("*.py") if '"--data"' in path.read_text("utf-8")]
)
def test_examples_without_their_data_say_so_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--data", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"^error: no data: .*/none") as raised:
        importlib.import_module(name).main()
    assert "\n" not in str(raised.value)


def test_a_folder_that_is_named_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASHION_MNIST", raising=False)
    with pytest.raises(NiwakiError, match=r"^no data: name the folder of .* in FASHION_MNIST$"):
        importlib.import_module("prune_fashion_mnist").setup()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"^no data: .*/t10k-images-idx3-ubyte.gz is missing"):
        read_fashion_mnist(tmp_path, "t10k")
    with pytest.raises(NiwakiError, match=r"^no data: .*/cifar10/test-labels.txt is missing"):
        read_cifar10(tmp_path, "test")
    with pytest.raises(NiwakiError, match=r"^no data: .*/spoken-digits.npz is missing"):
        read_spoken_digits(tmp_path)


def test_fashion_mnist(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    labels = np.arange(5, dtype=np.uint8)
    for kind, header, values in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
        with gzip.open(tmp_path / f"train-{kind}-ubyte.gz", "wb") as file:
            file.write(bytes(header) + values.tobytes())
    found = read_fashion_mnist(tmp_path, "train")
    assert np.array_equal(found[0], images)
    assert np.array_equal(found[1], labels)


def test_cifar10_binary(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    records = np.random.default_rng(0).integers(0, 256, (6, 3073)).astype(np.uint8)
    for number in range(1, 6):
        (folder / f"data_batch_{number}.bin").write_bytes(records[number - 1].tobytes())
    (folder / "test_batch.bin").write_bytes(records[5].tobytes())
    images, labels = read_cifar10(tmp_path, "train")
    assert np.array_equal(images.reshape(5, -1), records[:5, 1:])
    assert np.array_equal(labels, records[:5, 0])
    assert read_cifar10(tmp_path, "test")[0].shape == (1, 3, 32, 32)


def test_cifar10_mosaics(tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    images = np.random.default_rng(0).integers(0, 256, (2500, 3, 32, 32)).astype(np.uint8)
    mosaic = images.reshape(50, 50, 3, 32, 32).transpose(0, 3, 1, 4, 2).reshape(1600, 1600, 3)
    Image.fromarray(mosaic).save(tmp_path / "cifar10" / "test-00.webp", lossless=True)
    (tmp_path / "cifar10" / "test-labels.txt").write_text("0123456789" * 250)
    found, labels = read_cifar10(tmp_path, "test")
    assert np.array_equal(found, images)
    assert np.array_equal(labels, np.tile(np.arange(10), 250))


@pytest.mark.requires_data
def test_the_data_sets_themselves(data_folder: Path) -> None:
    images, labels = read_fashion_mnist(data_folder / "fashion-mnist", "t10k")
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * 10
    images, labels = read_cifar10(data_folder, "test")
    assert images.shape == (10_000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [1000] * 10
    digits = read_spoken_digits(data_folder)
    assert len(digits.clips) == 3000
    assert np.bincount(digits.speakers).tolist() == [500] * 6
    inputs, labels_, *test = split(digits, (4, 5))
    assert inputs.shape == (2000, FRAMES, BANDS)
    assert [len(values) for values in (labels_, *test)] == [2000, 1000, 1000]
    assert inputs.isfinite().all()


def test_images_are_moved_and_mirrored() -> None:
    images = torch.zeros(40, 2, 9, 9, dtype=torch.uint8)
    images[:, 0, 4, 3] = 200
    images[:, 1] = torch.arange(40)[:, None, None]
    batches = MovedImages(images, torch.arange(40), 16, 2, lambda batch: batch.float())
    torch.manual_seed(0)
    found = list(batches)
    assert len(found) == len(batches) == 2
    labels = torch.cat([labels for _, labels in found])
    assert len(labels.unique()) == 32, "each image once"
    for batch, numbers in found:
        assert batch.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(batch.amax((2, 3))[:, 1], numbers.float())
        _, rows, columns = (batch[:, 0] == 200).nonzero(as_tuple=True)
        assert set(rows.tolist()) == {2, 3, 4, 5, 6}
        assert set(columns.tolist()) <= {1, 2, 3, 4, 5, 6, 7}
        assert len(set(columns.tolist())) > 5, "mirrored ones are at 5, plus or minus 2"
    torch.manual_seed(0)
    assert torch.equal(next(iter(batches))[0], found[0][0])


def test_normalised() -> None:
    images = torch.tensor([0, 255], dtype=torch.uint8).repeat(3, 2, 1).reshape(1, 3, 2, 2)
    change = partial(normalised, means=(0.5, 0.0, 1.0), deviations=(0.5, 1.0, 0.25))
    assert change(images)[0, :, 0].tolist() == [[-1, 1], [0, 1], [-4, 0]]


def test_batches() -> None:
    batches = Batches(torch.arange(10.0), torch.arange(10), 4, lambda batch: batch * 2)
    found = list(batches)
    assert len(found) == len(batches) == 2
    assert all(torch.equal(inputs, labels * 2.0) for inputs, labels in found)
    assert len(torch.cat([labels for _, labels in found]).unique()) == 8


def tone(frequency: float, seconds: float) -> np.ndarray:
    time = np.arange(int(8000 * seconds)) / 8000
    return (np.sin(2 * np.pi * frequency * time) * 8000).astype(np.int16)


def test_spectra_show_the_pitch() -> None:
    low, high = (log_mel(tone(frequency, 0.5)) for frequency in (300, 3000))
    assert low.shape == high.shape == (FRAMES, BANDS)
    assert low.dtype == np.float32
    assert low[5].argmax() < 8 < 24 < high[5].argmax()
    # What follows a short clip is as quiet as can be; a long one is cut.
    assert (low[-1] == low.min()).all()
    assert log_mel(tone(300, 2)).shape == (FRAMES, BANDS)
    assert np.isfinite(log_mel(tone(300, 0.01))).all()


def test_augmented_spectra() -> None:
    spectra = torch.from_numpy(log_mel(tone(1000, 0.8))).repeat(64, 1, 1)
    torch.manual_seed(0)
    changed = augment(spectra)
    assert changed.shape == spectra.shape
    assert changed.isfinite().all()
    assert not torch.equal(changed[0], changed[1])
    # The tone stays near its band, and something is hidden in most clips.
    bands = changed[:, 8].argmax(1)[changed[:, 8].amax(1) > 1]
    assert (bands - spectra[0, 8].argmax()).abs().max() <= 5
    assert (changed == 0).any(2).any(1).double().mean() > 0.7


def test_whole_speakers_are_held_out() -> None:
    clips, speakers = [tone(200 * (1 + n), 0.3) for n in range(6)], np.array([0, 1, 2, 0, 1, 2])
    digits = SpokenDigits(clips, np.arange(6), speakers, takes=np.zeros(6))
    inputs, labels, test, wanted = split(digits, (1,))
    assert labels.tolist() == [0, 2, 3, 5]
    assert wanted.tolist() == [1, 4]
    assert torch.equal(test[0], torch.from_numpy(log_mel(digits.clips[1])))
    assert len(inputs) == 4

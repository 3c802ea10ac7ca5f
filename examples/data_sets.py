"""The data sets that examples train on, from one folder, and batches of them.

The folder is named by `--data` or by the environment variable NIWAKI_DATA. Of each data set it has
what its makers published:

    fashion-mnist/           four idx.gz files (https://github.com/zalandoresearch/fashion-mnist)
    cifar-10-batches-bin/    the binary version (https://www.cs.toronto.edu/~kriz/cifar.html), or
    cifar10/                 the same as lossless WebP mosaics of 50x50 images, with label files
    spoken-digits.npz        the Free Spoken Digit Dataset (https://zenodo.org/records/1342401) as
                             arrays: audio (int16, 8 kHz, end to end), offsets, labels, speakers,
                             takes
    text/TREC/               TREC.train.all and TREC.test.all: lines with the number of a kind and a
                             question, in Latin-1 (https://cogcomp.seas.upenn.edu/Data/QA/QC/)
    sr/                      photographs, of which image_pairs.py says more
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError

MOSAIC = 50  # images of a mosaic, in each direction
RECORD = 1 + 3 * 32 * 32  # bytes of CIFAR's binary version: label, then red, green, blue
# Means and standard deviations of CIFAR-10's training images, scaled to [0, 1].
CIFAR_MEAN, CIFAR_DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)

Change = Callable[[Tensor], Tensor]


def data_folder(named: Path | None = None) -> Path:
    """The folder that was named, or that of NIWAKI_DATA.

    Raises:
        NiwakiError: none was named, or there is no such folder.
    """
    folder = named or (Path(os.environ["NIWAKI_DATA"]) if os.environ.get("NIWAKI_DATA") else None)
    if folder is None:
        raise NiwakiError("no data: name the folder of data sets with --data or in NIWAKI_DATA")
    if not folder.is_dir():
        raise NiwakiError(f"no data: {folder} is no folder; name that of data sets with --data")
    return folder


def read_fashion_mnist(folder: Path, prefix: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28] and labels uint8 [N] from the original idx.gz files.

    Args:
        folder: that of the four files.
        prefix: ``train`` or ``t10k``.
    """
    images = _read(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = _read(folder / f"{prefix}-labels-idx1-ubyte.gz")
    # The headers: 4 numbers of 4 bytes, and 2.
    return images[16:].reshape(-1, 28, 28), labels[8:]


def has_cifar10(folder: Path) -> bool:
    """Whether `read_cifar10` finds one of its two forms."""
    return any((folder / name).is_dir() for name in ("cifar-10-batches-bin", "cifar10"))


def read_cifar10(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 3, 32, 32] and labels uint8 [N] in their order.

    Args:
        folder: that of all data sets.
        split: ``train`` or ``test``.
    """
    binary = folder / "cifar-10-batches-bin"
    if binary.is_dir():
        names = [f"data_batch_{n}" for n in range(1, 6)] if split == "train" else ["test_batch"]
        records = np.concatenate([_read(binary / f"{name}.bin") for name in names])
        records = records.reshape(-1, RECORD)
        return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
    from PIL import Image

    labels = _read(folder / "cifar10" / f"{split}-labels.txt") - ord("0")
    images = []
    for number in range(len(labels) // MOSAIC**2):
        with Image.open(folder / "cifar10" / f"{split}-{number:02d}.webp") as mosaic:
            pixels = np.asarray(mosaic.convert("RGB"))
        cut = pixels.reshape(MOSAIC, 32, MOSAIC, 32, 3).transpose(0, 2, 4, 1, 3)
        images.append(cut.reshape(-1, 3, 32, 32))
    return np.concatenate(images), labels


def normalised(images: Tensor, means: tuple[float, ...], deviations: tuple[float, ...]) -> Tensor:
    """Images uint8 ``[N, C, H, W]`` as float32, channels of mean 0 and deviation 1."""
    mean, deviation = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (means, deviations))
    return (images.float() / 255 - mean) / deviation


@dataclass(frozen=True)
class SpokenDigits:
    """Clips of single digits, 8 kHz.

    Attributes:
        clips: int16, of any lengths.
        labels: int64 [N], 0 to 9.
        speakers: int64 [N], 0 to 5.
        takes: int64 [N], 0 to 49 of each speaker and digit.
    """

    clips: list[np.ndarray]
    labels: np.ndarray
    speakers: np.ndarray
    takes: np.ndarray


def read_spoken_digits(folder: Path) -> SpokenDigits:
    """All 3,000 clips; `folder` is that of all data sets."""
    path = folder / "spoken-digits.npz"
    if not path.exists():
        raise _missing(path)
    return read_clips(path)


def read_clips(path: Path) -> SpokenDigits:
    """The clips in one file."""
    with np.load(path) as archive:
        clips = np.split(archive["audio"], archive["offsets"][1:-1])
        columns = (archive[name].astype(np.int64) for name in ("labels", "speakers", "takes"))
        return SpokenDigits(clips, *columns)


@dataclass(frozen=True)
class Questions:
    """Questions, and the kind of answer that each wants: 0 to 5."""

    texts: list[str]
    kinds: list[int]


def read_questions(folder: Path, part: str) -> Questions:
    """5,452 questions to ``train`` on, or 500 to ``test``; `folder` is that of all data sets."""
    path = folder / "text" / "TREC" / f"TREC.{part}.all"
    if not path.exists():
        raise _missing(path)
    lines = path.read_text(encoding="latin-1").splitlines()
    kinds, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    return Questions(list(texts), [int(kind) for kind in kinds])


def _read(path: Path) -> np.ndarray:
    """The bytes of a file, unpacked if it is packed."""
    if not path.exists():
        raise _missing(path)
    content = path.read_bytes()
    return np.frombuffer(gzip.decompress(content) if path.suffix == ".gz" else content, np.uint8)


def _missing(path: Path) -> NiwakiError:
    return NiwakiError(f"no data: {path} is missing; examples/data_sets.py says what is expected")


@dataclass(frozen=True)
class MovedImages:
    """Batches of images in random order, each moved by some pixels and maybe mirrored.

    Black pixels move in. The last images, too few for a batch, are left out. All random numbers are
    PyTorch's own, so that checkpoints go on with the same batches.

    Attributes:
        images: uint8 ``[N, C, H, W]``.
        labels: ``[N]``.
        shift: pixels in each direction, at most.
        normalise: makes of a batch what the network takes.
    """

    images: Tensor
    labels: Tensor
    batch: int
    shift: int
    normalise: Change

    def __len__(self) -> int:
        return len(self.images) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        padded = nn.functional.pad(self.images, (self.shift,) * 4)
        size = torch.arange(self.images.shape[-1])
        for chosen in torch.randperm(len(self.images)).split(self.batch)[: len(self)]:
            count = len(chosen)
            rows = size + torch.randint(0, 2 * self.shift + 1, (count, 1))
            columns = size + torch.randint(0, 2 * self.shift + 1, (count, 1))
            columns = torch.where(torch.rand(count, 1) < 0.5, columns, columns.flip(1))
            # Indices on both sides of a slice bring what they choose to the front: N, H, W, C.
            moved = padded[chosen[:, None, None], :, rows[:, :, None], columns[:, None, :]]
            yield self.normalise(moved.permute(0, 3, 1, 2)), self.labels[chosen]


@dataclass(frozen=True)
class Batches:
    """Batches in random order, changed by `augment`; the last, too small one is left out."""

    inputs: Tensor
    labels: Tensor
    batch: int
    augment: Change

    def __len__(self) -> int:
        return len(self.inputs) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in torch.randperm(len(self.inputs)).split(self.batch)[: len(self)]:
            yield self.augment(self.inputs[chosen]), self.labels[chosen]

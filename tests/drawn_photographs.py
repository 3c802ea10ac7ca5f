"""Data sets of a few small drawn pictures, that lie as the real ones do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gallery.scenes import landscape
from PIL import Image

SETS = ("T91", "Set5", "Set14")
THINGS = 200  # images of the one that is like CIFAR-10


def write_photographs(folder: Path, size: int = 64, count: int = 2) -> None:
    """Landscapes in the place of photographs, and of CIFAR-10's images noise."""
    for first, name in enumerate(SETS):
        (folder / "sr" / name).mkdir(parents=True)
        for number in range(count):
            picture = Image.fromarray(landscape(size, size, 50 * first + number))
            picture.save(folder / "sr" / name / f"{number}.png")
    binary = folder / "cifar-10-batches-bin"
    binary.mkdir()
    random = np.random.default_rng(0)
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        records = random.integers(0, 256, (THINGS, 1 + 3 * 32 * 32), np.uint8)
        records[:, 0] %= 10
        (binary / f"{name}.bin").write_bytes(records.tobytes())

"""Fashion-MNIST's things as programs of the gallery draw them, those to train on and others.

Without the data set the 1,000 shipped test images are both, parted, so there are fewer things.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from data_sets import read_fashion_mnist
from fashion_mnist import TEST_IMAGES
from gallery.clothes import Studio, drawn_ground, put

HELD_OUT = 200  # of the shipped images
CLOSE = 32  # pixels of a close-up in each direction
SMALLEST = 20  # of its thing's longer side


def studio(data: Path | None, part: str) -> Studio:
    """Of the images to ``train`` on, or of others; `data` is the folder of all data sets."""
    folder = data and data / "fashion-mnist"
    if folder and folder.is_dir():
        images, labels = read_fashion_mnist(folder, "train" if part == "train" else "t10k")
    else:
        with np.load(TEST_IMAGES) as archive:
            images, labels = archive["images"], archive["labels"]
        chosen = slice(HELD_OUT, None) if part == "train" else slice(HELD_OUT)
        images, labels = images[chosen], labels[chosen]
    return Studio(images, labels.astype(np.int64))


def close_ups(studio: Studio, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of one thing each, uint8 ``[count, 3, CLOSE, CLOSE]``, and classes ``[count]``."""
    random = np.random.default_rng(0)
    images = np.empty((count, 3, CLOSE, CLOSE), np.uint8)
    labels = np.empty(count, np.int64)
    for number in range(count):
        canvas = drawn_ground(random, CLOSE)
        thing = studio.cut(random).at(int(random.integers(SMALLEST, CLOSE + 1)))
        top, left = (int(random.integers(CLOSE - side + 1)) for side in thing.cover.shape)
        put(canvas, thing, left, top)
        images[number] = np.rint(255 * canvas.clip(0, 1)).transpose(2, 0, 1)
        labels[number] = thing.label
    return images, labels

"""Scenes that a program draws: Fashion-MNIST's things in colours on noise and plain forms.

seed   -->   image uint8 [H, W, 3], boxes [N, 4], labels [N]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Corners = tuple[int, int, int, int]  # left, top, right, bottom
NAMES = (
    "T-shirt", "trousers", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SMALLEST, LARGEST, MOST = 36, 120, 7  # pixels of a thing's longer side; things of a scene
SEEN = 24  # of 255: pixels of a thing that are darker are its ground
OVERLAP = 0.15  # of the smaller of two boxes, at most
TRIES = 20
COARSE = 40  # pixels that the ground is drawn with


@dataclass(frozen=True)
class Scene:
    """An image, and for each thing in it left, top, right, bottom in pixels, and its class."""

    image: Bytes
    boxes: Floats
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Thing:
    """A thing cut out: how much of each pixel it covers, and its colours, both from 0 to 1."""

    cover: Floats
    colours: Floats
    label: int


@dataclass(frozen=True)
class Cut:
    """A thing as Fashion-MNIST has it, and the colours of what is black there, and white."""

    grey: Bytes
    dark: npt.NDArray[np.float64]
    bright: npt.NDArray[np.float64]
    label: int

    def at(self, side: int) -> Thing:
        """So large that its longer side has so many pixels."""
        scale = side / max(self.grey.shape)
        height, width = (max(1, round(one * scale)) for one in self.grey.shape)
        image = Image.fromarray(self.grey).resize((width, height), Image.Resampling.BICUBIC)
        large = np.asarray(image, np.float32)
        shade = (large / 255)[..., None]
        colours = (self.dark + (self.bright - self.dark) * shade).astype(np.float32)
        return Thing(((large - SEEN / 2) / SEEN).clip(0, 1), colours, self.label)


@dataclass(frozen=True)
class Studio:
    """Draws scenes.

    Attributes:
        images: of Fashion-MNIST, uint8 [N, 28, 28].
        labels: of those, [N].
    """

    images: Bytes
    labels: npt.NDArray[np.int64]

    def scene(self, seed: int, size: int, most: int = MOST) -> Scene:
        """A square scene with so many things, if there is room; a seed always gives the same."""
        random = np.random.default_rng(seed)
        canvas = drawn_ground(random, size)
        boxes: list[Corners] = []
        labels = []
        for _ in range(int(random.integers(2, most + 1))):
            side = int(random.integers(SMALLEST, min(LARGEST, size) + 1))
            thing = self.cut(random).at(side)
            height, width = thing.cover.shape
            for _ in range(TRIES):
                left = int(random.integers(size - width + 1))
                top = int(random.integers(size - height + 1))
                box = left, top, left + width, top + height
                if all(overlap(box, other) <= OVERLAP for other in boxes):
                    put(canvas, thing, left, top)
                    boxes.append(box)
                    labels.append(thing.label)
                    break
        canvas += random.uniform(0, 0.03) * random.standard_normal(canvas.shape, np.float32)
        np.clip(canvas, 0, 1, out=canvas)
        image = np.rint(255 * canvas).astype(np.uint8)
        return Scene(image, np.array(boxes, np.float32), np.array(labels, np.int64))

    def cut(self, random: np.random.Generator) -> Cut:
        """A random thing without what is around it, in two colours, maybe mirrored."""
        number = int(random.integers(len(self.images)))
        image = self.images[number]
        rows, columns = (np.flatnonzero((image > SEEN).any(axis)) for axis in (1, 0))
        if not len(rows):  # black as a whole
            rows = columns = np.arange(len(image))
        grey = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        grey = grey[:, ::-1] if random.random() < 0.5 else grey
        dark, bright = random.uniform(0, 0.5, 3), random.uniform(0.5, 1, 3)
        return Cut(grey, dark, bright, int(self.labels[number]))


def drawn_ground(random: np.random.Generator, size: int) -> Floats:
    """Noise of several scales between two colours, and rectangles and ellipses on it."""
    strength = np.zeros((COARSE, COARSE), np.float32)
    for cells in (2, 5, 12, COARSE):
        noise = Image.fromarray(random.standard_normal((cells, cells), np.float32))
        smooth = np.asarray(noise.resize((COARSE, COARSE), Image.Resampling.BICUBIC))
        strength += smooth * np.float32(random.uniform(0, 1) / cells**0.5)
    share = 1 / (1 + np.exp(-2 * strength[..., None]))
    one, other = random.uniform(0, 255, (2, 3)).astype(np.float32)
    small = Image.fromarray((one + (other - one) * share).astype(np.uint8))
    canvas = small.resize((size, size), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(random.integers(0, 6))):
        x, y = random.uniform(0, size, 2)
        wide, high = random.uniform(size / 40, size / 6, 2)
        outline = (x - wide, y - high, x + wide, y + high)
        form = draw.rectangle if random.random() < 0.5 else draw.ellipse
        form(outline, fill=tuple(random.integers(0, 256, 3).tolist()))
    return np.asarray(canvas, np.float32) / np.float32(255)


def put(canvas: Floats, thing: Thing, left: int, top: int) -> None:
    """Lay a thing onto the canvas; what is outside is cut off."""
    height, width = thing.cover.shape
    first_y, first_x = max(0, -top), max(0, -left)
    last_y = min(height, canvas.shape[0] - top)
    last_x = min(width, canvas.shape[1] - left)
    if last_y <= first_y or last_x <= first_x:
        return
    part = canvas[top + first_y : top + last_y, left + first_x : left + last_x]
    cover = thing.cover[first_y:last_y, first_x:last_x, None]
    part += cover * (thing.colours[first_y:last_y, first_x:last_x] - part)


def overlap(one: Corners, other: Corners) -> float:
    """Of the smaller of two boxes the share that is in both."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    areas = ((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return max(0, wide) * max(0, high) / min(areas)

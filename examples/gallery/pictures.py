"""Pictures that image applications train on and show: photographs, and landscapes of scenes.py.

Photographs to train on are those of sr/T91, those to show of sr/Set14 (examples/image_pairs.py),
where they are at hand. They are for research: what is kept in a repository is made without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from gallery.application import Work
from gallery.scenes import Image8, landscape
from image_pairs import as_image, as_tensor
from in_turns import Answer
from PIL import Image
from torch import Tensor, nn

from niwaki.errors import NiwakiError

SHOWN_SEEDS = (3, 4, 5, 6)  # of landscapes that no network was trained on
FIRST_SEED = 100  # of those that one is
ALONE = 4  # times as many landscapes where there are no photographs to train on


def photographs(work: Work, name: str) -> list[Image8]:
    """All of a set below sr; none where the set is not at hand.

    Raises:
        NiwakiError: its folder has no images.
    """
    if work.data is None or not work.has(f"sr/{name}"):
        return []
    place = work.data / "sr" / name
    files = sorted(place.glob("*.png")) or sorted(place.glob("x4/HR/*.png"))
    if not files:
        raise NiwakiError(f"no data: {place} has no images; examples/image_pairs.py says which")
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def landscapes(work: Work, count: int, height: int, width: int) -> list[Image8]:
    """Landscapes to train on, `count` of them beside photographs."""
    count = work.share(count if work.has("sr/T91") else ALONE * count)
    return [landscape(height, width, FIRST_SEED + number) for number in range(count)]


def fitted(picture: Image8, height: int, width: int) -> Image8:
    """The middle of a picture, in this size."""
    scale = max(height / picture.shape[0], width / picture.shape[1])
    rows, columns = round(height / scale), round(width / scale)
    top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
    cut = Image.fromarray(picture[top : top + rows, left : left + columns])
    return np.asarray(cut.resize((width, height), Image.Resampling.LANCZOS))


@dataclass(frozen=True)
class Crops:
    """Batches of random squares of random pictures, maybe mirrored, and what `pair` makes of them.

    Attributes:
        pictures: none smaller than a square.
        pair: gives inputs and targets of squares ``[N, 3, size, size]`` from 0 to 1.
    """

    pictures: Sequence[Image8]
    size: int
    batch: int
    pair: Callable[[Tensor], tuple[Tensor, Tensor]]
    steps: int

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.steps):
            chosen = torch.randint(len(self.pictures), (self.batch,)).tolist()
            squares = np.stack([self._square(self.pictures[number]) for number in chosen])
            yield self.pair(torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255)

    def _square(self, picture: Image8) -> Image8:
        top, left = (int(torch.randint(side - self.size + 1, ())) for side in picture.shape[:2])
        square = picture[top : top + self.size, left : left + self.size]
        return square[:, ::-1] if torch.rand(()) < 0.5 else square


def told_by(
    teacher: nn.Module, take: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """A `pair` of what is taken of squares and what the teacher makes of that."""

    @torch.no_grad()
    def pair(squares: Tensor) -> tuple[Tensor, Tensor]:
        inputs = take(squares)
        return inputs, teacher(inputs).float()

    return pair


def at_least(pictures: Sequence[Image8], size: int) -> list[Image8]:
    """Pictures, enlarged where they are smaller than a square of this size."""
    found = []
    for picture in pictures:
        scale = size / min(picture.shape[:2])
        if scale > 1:
            height, width = (max(size, round(side * scale)) for side in picture.shape[:2])
            picture = fitted(picture, height, width)
        found.append(picture)
    return found


def made_by(answer: Answer, picture: Image8) -> Image8:
    """What a network makes of a picture."""
    return as_image(torch.from_numpy(answer(as_tensor(picture).numpy())))


def beside(*pictures: Image8) -> Image8:
    """Pictures of one height in a row, with white between them."""
    gap = np.full((pictures[0].shape[0], 4, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1)

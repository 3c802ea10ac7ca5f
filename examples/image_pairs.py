"""Photographs and the same made smaller, which super-resolution is trained and tested on.

    sr/T91      91 images to train on (Yang et al. 2010)
    sr/Set5     5 to test with (Bevilacqua et al. 2012), and
    sr/Set14    14 (Zeyde et al. 2010)

The folder of data sets has them as .png files in `sr/NAME` or a folder below it called `HR`. Small
images are made from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bicubic import Bytes, smaller
from torch import Tensor

from niwaki.errors import NiwakiError


@dataclass(frozen=True)
class Pair:
    """An image ``[height, width, 3]`` and one that is `scale` times as high and wide."""

    small: Bytes
    large: Bytes
    scale: int


def pair_of(large: Bytes, scale: int) -> Pair:
    """An image, cut to whole small pixels, and the small one."""
    height, width = (size // scale * scale for size in large.shape[:2])
    large = np.ascontiguousarray(large[:height, :width])
    return Pair(smaller(large, scale), large, scale)


def read_pairs(folder: Path, name: str, scale: int) -> list[Pair]:
    """All images of a set; `folder` is that of all data sets.

    Raises:
        NiwakiError: there are none.
    """
    from PIL import Image

    place = folder / "sr" / name
    # The same images may be there for several scales; those for the first have most pixels.
    places = [place, *sorted(place.glob("**/HR"))]
    files = next((found for one in places if (found := sorted(one.glob("*.png")))), [])
    if not files:
        raise NiwakiError(f"no data: {place} has no images; examples/image_pairs.py says which")
    return [pair_of(np.asarray(Image.open(file).convert("RGB")), scale) for file in files]


def as_tensor(image: Bytes) -> Tensor:
    """One image ``[1, 3, height, width]``, from 0 to 1."""
    return torch.tensor(image).permute(2, 0, 1)[None].float() / 255


def as_image(tensor: Tensor) -> Bytes:
    """The image of a tensor, rounded as an image is."""
    pixels = (tensor[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class Patches:
    """Batches of patches of random images, turned and mirrored.

    Attributes:
        pairs: images that are cut.
        size: small pixels of a patch in each direction.
        batch: patches of a batch.
        steps: batches of an epoch.
    """

    pairs: Sequence[Pair]
    size: int
    batch: int
    steps: int

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        areas = torch.tensor([float(pair.small.size) for pair in self.pairs])
        for _ in range(self.steps):
            chosen = torch.multinomial(areas, self.batch, replacement=True).tolist()
            small, large = zip(*(self._patch(self.pairs[n]) for n in chosen), strict=True)
            yield _stacked(small), _stacked(large)

    def _patch(self, pair: Pair) -> tuple[Bytes, Bytes]:
        height, width, _ = pair.small.shape
        top, left = (int(torch.randint(side - self.size + 1, ())) for side in (height, width))
        turns, mirrored = divmod(int(torch.randint(8, ())), 2)
        found = []
        for image, scale in ((pair.small, 1), (pair.large, pair.scale)):
            y, x, size = top * scale, left * scale, self.size * scale
            patch = np.rot90(image[y : y + size, x : x + size], turns)
            found.append(patch[:, ::-1] if mirrored else patch)
        return found[0], found[1]


def _stacked(patches: Sequence[Bytes]) -> Tensor:
    """A batch ``[N, 3, size, size]``, from 0 to 1; channels lie together, as in images."""
    return torch.from_numpy(np.stack(patches)).permute(0, 3, 1, 2).float() / 255

"""What is known of an application once it was run, in its folder: `result.json` and pictures.

The page is made of these files alone, so that an application that is run again leaves the others.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gallery.application import Picture
from PIL import Image

from niwaki.atomic import atomic_file

FILE = "result.json"
FILM_MS, FILM_QUALITY = 80, 80  # a frame


@dataclass(frozen=True)
class Shown:
    """A picture by the name of its file."""

    caption: str
    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Result:
    """Of an application.

    Attributes:
        milliseconds: of a call, by who makes it: the dense network elsewhere, which ratios are to,
            the dense one here, the pruned one here.
        rows: what was measured, dense, pruned.
        facts: about the network, by what they say.
        machine: the processor, as it is called.
        effort: share of the training and tests.
    """

    name: str
    title: str
    summary: str
    milliseconds: Mapping[str, float]
    rows: Sequence[Sequence[str]]
    pictures: Sequence[Shown]
    facts: Mapping[str, str]
    machine: str
    effort: float

    @property
    def ratio(self) -> float:
        """How many times as long as the pruned network the dense one takes elsewhere."""
        first, *_, last = self.milliseconds.values()
        return first / last

    def save(self, folder: Path) -> None:
        with atomic_file(folder / FILE) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())


def read_result(folder: Path) -> Result | None:
    """What `save` wrote there; None if it did not."""
    file = folder / FILE
    if not file.exists():
        return None
    read = json.loads(file.read_text(encoding="utf-8"))
    return Result(**{**read, "pictures": [Shown(**one) for one in read["pictures"]]})


def save_picture(picture: Picture, folder: Path, stem: str) -> Shown:
    """Write a PNG, or of a film an animated WebP."""
    frames = picture.pixels if picture.pixels.ndim == 4 else picture.pixels[None]
    images = [Image.fromarray(frame) for frame in frames]
    name = f"{stem}.webp" if len(images) > 1 else f"{stem}.png"
    content = io.BytesIO()
    if len(images) > 1:
        images[0].save(
            content, "WEBP", save_all=True, append_images=images[1:], duration=FILM_MS, loop=0,
            quality=FILM_QUALITY,
        )  # fmt: skip
    else:
        images[0].save(content, "PNG", optimize=True)
    with atomic_file(folder / name) as file:
        file.write(content.getvalue())
    return Shown(picture.caption, name, *images[0].size)

"""Boxes drawn into an image, each with the name of its class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gallery.boxes import Found
from gallery.clothes import Bytes
from PIL import Image, ImageDraw, ImageFont

# Far apart, and bright enough for dark letters.
COLOURS = (
    "#ff8a65", "#4dd0e1", "#ffd54f", "#ba68c8", "#aed581",
    "#f06292", "#64b5f6", "#ffffff", "#4db6ac", "#dce775",
)  # fmt: skip
LINE, LETTERS = 2, 11  # pixels


def with_boxes(image: Bytes, found: Found, names: Sequence[str]) -> Bytes:
    """The image with what was found in it."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(LETTERS)
    for box, label in zip(found.boxes.tolist(), found.labels.tolist(), strict=True):
        colour = COLOURS[label % len(COLOURS)]
        draw.rectangle(box, outline=colour, width=LINE)
        left, top = box[0], max(0, box[1] - LETTERS - 3)
        width = draw.textlength(names[label], font=font)
        draw.rectangle((left, top, left + width + 4, top + LETTERS + 3), fill=colour)
        draw.text((left + 2, top), names[label], fill="#202020", font=font)
    return np.asarray(canvas)

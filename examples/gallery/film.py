"""A film that a program draws: four things that circle and grow and shrink before a moving ground.

It ends as it begins, so that it can run on and on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from gallery.clothes import Floats, Scene, Studio, drawn_ground, put

THINGS = 4  # one around the middle of each quarter
SIDES = 44, 104  # pixels of the longer side
CIRCLE, PAN = 0.11, 0.1  # radii that things and the ground move on, of the size


def film(studio: Studio, seed: int, size: int, frames: int) -> Iterator[Scene]:
    """Its frames; a seed always gives the same."""
    random = np.random.default_rng(seed)
    margin = round(PAN * size)
    ground = drawn_ground(random, size + 2 * margin)
    cuts = [studio.cut(random) for _ in range(THINGS)]
    phases = random.uniform(0, 2 * np.pi, (THINGS, 2))
    for time in np.arange(frames) / frames * 2 * np.pi:
        left, top = (round(margin * (1 + wave)) for wave in (np.cos(time), np.sin(time)))
        canvas = ground[top : top + size, left : left + size].copy()
        boxes = []
        for number, (cut, (turn, swell)) in enumerate(zip(cuts, phases, strict=True)):
            side = SIDES[0] + (SIDES[1] - SIDES[0]) * (1 + np.sin(time + swell)) / 2
            thing = cut.at(round(side))
            quarter = np.array((number % 2, number // 2)) / 2 + 0.25
            middle = quarter + CIRCLE * np.array((np.cos(time + turn), np.sin(time + turn)))
            boxes.append(placed(canvas, thing.cover, middle * size))
            put(canvas, thing, int(boxes[-1][0]), int(boxes[-1][1]))
        labels = np.array([cut.label for cut in cuts], np.int64)
        image = np.rint(255 * canvas.clip(0, 1)).astype(np.uint8)
        yield Scene(image, np.array(boxes, np.float32), labels)


def placed(canvas: Floats, cover: Floats, middle: np.ndarray) -> tuple[int, int, int, int]:
    """The box of a thing about there, as a whole on the canvas."""
    height, width = cover.shape
    left = int(np.clip(round(middle[0] - width / 2), 0, canvas.shape[1] - width))
    top = int(np.clip(round(middle[1] - height / 2), 0, canvas.shape[0] - height))
    return left, top, left + width, top + height

"""The painting whose manner a style network learns: brush strokes that swirl, drawn by a program.

painting(256)   -->   uint8 [256, 256, 3]
"""

from __future__ import annotations

import numpy as np
from gallery.scenes import FINE, Image8, noise
from PIL import Image, ImageDraw

PIXELS = 9  # for each stroke
PALETTE = np.array(
    [(18, 32, 84), (30, 70, 150), (64, 128, 190), (150, 196, 206), (238, 214, 120), (232, 160, 46),
     (196, 84, 40), (24, 62, 70)],
    float,
)  # fmt: skip


def painting(size: int, seed: int = 7) -> Image8:
    """A square picture; strokes keep their width whatever its size."""
    random = np.random.default_rng(seed)
    pixels = size * FINE
    angles = 4 * np.pi * noise(pixels, pixels, 110 * FINE, random)
    tones = noise(pixels, pixels, 80 * FINE, random)
    image = Image.new("RGB", (pixels, pixels), tuple(int(v) for v in PALETTE[0]))
    draw = ImageDraw.Draw(image)
    for _ in range(size * size // PIXELS):
        y, x = random.uniform(0, pixels, 2)
        path = _path(angles, y, x, int(random.uniform(8, 16)) * FINE)
        tone = tones[int(y), int(x)] + random.normal(0, 0.06)
        colour = _colour(tone) * random.uniform(0.8, 1.15)
        fill = tuple(int(v) for v in colour.clip(0, 255))
        draw.line(path, fill=fill, width=int(random.uniform(2.5, 4.5) * FINE), joint="curve")
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def _path(angles: np.ndarray, y: float, x: float, steps: int) -> list[tuple[float, float]]:
    """Points along the directions of a field."""
    limit = len(angles) - 1
    points = [(x, y)]
    for _ in range(steps // 2):
        angle = angles[int(np.clip(y, 0, limit)), int(np.clip(x, 0, limit))]
        y, x = y + 2 * np.sin(angle), x + 2 * np.cos(angle)
        points.append((x, y))
    return points


def _colour(tone: float) -> np.ndarray:
    """Of the palette, between two neighbours."""
    place = float(np.clip(tone, 0, 0.999)) * (len(PALETTE) - 1)
    low = int(place)
    return PALETTE[low] + (place - low) * (PALETTE[low + 1] - PALETTE[low])

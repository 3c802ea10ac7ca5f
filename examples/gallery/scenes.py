"""Landscapes that a program draws: sky, mountains, a lake that mirrors them, a meadow, a house.

    landscape(256, 256, seed=3)   -->   uint8 [256, 256, 3], always the same for a seed

So there are pictures to train on, and to show, that may be given away.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Image8 = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float64]
Colour = tuple[int, int, int]
FINE = 2  # all is drawn so many times as large: edges come out smooth
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((70, 130, 205), (190, 220, 240)), ((52, 96, 168), (246, 196, 148)),
    ((104, 150, 200), (236, 232, 214)), ((40, 70, 130), (238, 150, 110)),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = ((176, 58, 42), (150, 74, 48), (192, 96, 56))
WALLS: tuple[Colour, ...] = ((240, 232, 214), (226, 204, 164), (214, 214, 220))
CROWNS: tuple[Colour, ...] = ((48, 104, 46), (70, 124, 50), (34, 84, 56), (122, 134, 48))
RIDGES = 3


def landscape(height: int, width: int, seed: int) -> Image8:
    """A picture of this size."""
    random = np.random.default_rng(seed)
    rows, columns = height * FINE, width * FINE
    top, low = SKIES[random.integers(len(SKIES))]
    picture = _sky(rows, columns, top, low, random)
    horizon = int(rows * random.uniform(0.45, 0.6))
    for ridge in range(RIDGES):
        _mountains(picture, horizon, ridge, low, random)
    shore = horizon + int(rows * random.uniform(0.12, 0.2))
    _lake(picture, horizon, shore + rows // 25, random)  # the meadow's edge is not straight
    _meadow(picture, shore, random)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    _things(ImageDraw.Draw(image), rows, columns, shore, random)
    grain = random.normal(0, 3, (rows, columns, 1))
    image = Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


def noise(rows: int, columns: int, cell: float, random: np.random.Generator) -> Values:
    """Smooth random values from 0 to 1, with details down to a few pixels.

    Args:
        cell: width of the largest shapes, in pixels.
    """
    total, weight = np.zeros((rows, columns)), 1.0
    while cell >= 2:
        points = random.uniform(size=(int(rows / cell) + 2, int(columns / cell) + 2))
        large = Image.fromarray(points.astype(np.float32)).resize(
            (columns, rows), Image.Resampling.BICUBIC
        )
        total += weight * np.asarray(large)
        cell, weight = cell / 2, weight / 2
    spread = total.max() - total.min()
    return np.asarray((total - total.min()) / spread)


def _between(one: Colour, other: Colour, share: Values) -> Values:
    """Colours ``[..., 3]`` from the one to the other."""
    return np.asarray(one) + share[..., None] * (np.asarray(other, float) - np.asarray(one))


def _sky(rows: int, columns: int, top: Colour, low: Colour, random: np.random.Generator) -> Values:
    """With clouds, and a sun that lights what is around it."""
    down = np.linspace(0, 1.6, rows).clip(0, 1)[:, None].repeat(columns, 1)
    picture = _between(top, low, down)
    clouds = ((noise(rows, columns, columns / 3, random) - 0.5) * 3).clip(0, 0.85)
    picture += clouds[..., None] * (np.array([250, 248, 244]) - picture)
    y, x = np.mgrid[:rows, :columns]
    away = np.hypot(y - rows * random.uniform(0.1, 0.3), x - columns * random.uniform(0.1, 0.9))
    radius = rows * 0.04
    light = np.exp(-away / (4 * radius)) * 0.6 + (away < radius)
    return picture + light.clip(0, 1)[..., None] * (np.array([255, 244, 205]) - picture)


def _mountains(
    picture: Values, horizon: int, ridge: int, haze: Colour, random: np.random.Generator
) -> None:
    """A ridge up to the horizon; near ones are lower, darker and greener than far ones."""
    rows, columns = picture.shape[:2]
    near = ridge / (RIDGES - 1)
    line = noise(2, columns, columns / (2 + 2 * ridge), random)[0]
    heights = rows * (0.38 - 0.26 * near) * (0.25 + 0.75 * line)
    y = np.arange(rows)[:, None]
    inside = (y >= horizon - heights) & (y < horizon)
    rock = _between((96, 104, 132), (52, 92, 62), np.full((rows, columns), near))
    light = noise(rows, columns, columns / 10, random)[..., None]
    rock = rock * (0.7 + 0.6 * light)
    snow = (y < horizon - rows * 0.26 + 12 * light[..., 0]) & (light[..., 0] > 0.35)
    rock[snow] = (236, 240, 246)
    rock += (0.5 - 0.4 * near) * (np.asarray(haze) - rock)
    picture[inside] = rock[inside]


def _lake(picture: Values, horizon: int, shore: int, random: np.random.Generator) -> None:
    """What lies above the horizon, upside down, darker, and moved by waves."""
    columns = picture.shape[1]
    for y in range(horizon, shore):
        depth = y - horizon
        wave = int(random.normal(0, 1 + depth / 25))
        above = np.roll(picture[max(0, horizon - 1 - int(depth * 1.6))], wave, axis=0)
        picture[y] = 0.72 * above + 0.28 * np.array([38, 82, 112])
        if random.uniform() < 0.15:
            start = random.integers(columns)
            picture[y, start : start + columns // 6] += 22


def _meadow(picture: Values, shore: int, random: np.random.Generator) -> None:
    """Grass with flowers, and a path to the shore."""
    rows, columns = picture.shape[:2]
    edge = shore + rows * 0.06 * (noise(2, columns, columns / 3, random)[0] - 0.5)
    y, x = np.mgrid[:rows, :columns]
    inside = y >= edge
    grass = _between((66, 112, 44), (158, 172, 74), noise(rows, columns, columns / 5, random))
    grass *= (0.8 + 0.4 * random.uniform(size=(rows, columns)))[..., None]
    middle = columns * (random.uniform(0.3, 0.7) + 0.12 * np.sin(y / rows * 14))
    depth = ((y - shore) / (rows - shore)).clip(0, 1)
    path = abs(x - middle) < columns * (0.01 + 0.07 * depth)
    grass[path] = (188, 160, 118) + 18 * random.normal(size=(int(path.sum()), 1))
    flowers = (random.uniform(size=(rows, columns)) < 0.004) & ~path
    blossoms = np.array([(226, 60, 64), (244, 208, 70), (240, 240, 244), (160, 90, 180)])
    spots = np.argwhere(flowers)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at = (spots[:, 0] + dy).clip(0, rows - 1), (spots[:, 1] + dx).clip(0, columns - 1)
        grass[at] = blossoms[random.integers(len(blossoms), size=len(spots))]
    picture[inside] = grass[inside]


def _things(
    draw: ImageDraw.ImageDraw, rows: int, columns: int, shore: int, random: np.random.Generator
) -> None:
    """A house and trees, far ones first."""
    feet = sorted(random.uniform(0.06, 0.8, size=9))
    house = int(random.integers(2, 5))
    for number, depth in enumerate(feet):
        y = shore + depth * (rows - shore)
        x = random.uniform(0.02, 0.98) * columns
        size = rows * (0.08 + 0.2 * depth)
        if number == house:
            _house(draw, columns * random.uniform(0.15, 0.7), y, rows * 0.16, random)
        else:
            _tree(draw, x, y, size * random.uniform(0.8, 1.2), random)


def _house(
    draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: np.random.Generator
) -> None:
    """Seen from the front, with its left foot at a point."""
    wall, roof = WALLS[random.integers(len(WALLS))], ROOFS[random.integers(len(ROOFS))]
    wide, high = 1.25 * size, 0.62 * size
    draw.rectangle((x, y - high, x + wide, y), fill=wall)
    eaves, ridge = y - high, y - 1.15 * size
    draw.polygon(
        ((x - 0.1 * size, eaves), (x + 0.2 * size, ridge), (x + wide - 0.2 * size, ridge),
         (x + wide + 0.1 * size, eaves)),
        fill=roof,
    )  # fmt: skip
    for left in (0.15, 0.85):
        window = (x + left * size, y - 0.46 * size, x + (left + 0.24) * size, y - 0.2 * size)
        draw.rectangle(window, fill=(70, 88, 110), outline=(250, 250, 250), width=2)
    draw.rectangle((x + 0.5 * size, y - 0.4 * size, x + 0.72 * size, y), fill=(104, 66, 42))


def _tree(
    draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: np.random.Generator
) -> None:
    """A fir, or a tree with a round crown of leaves, lit from above."""
    colour = np.array(CROWNS[random.integers(len(CROWNS))])
    trunk = 0.05 * size
    draw.rectangle((x - trunk, y - 0.4 * size, x + trunk, y), fill=(84, 62, 44))
    if random.uniform() < 0.5:
        for layer in range(4):
            low, wide = y - size * (0.15 + 0.2 * layer), size * (0.3 - 0.06 * layer)
            fill = tuple(int(v) for v in colour * (0.75 + 0.12 * layer))
            draw.polygon(((x - wide, low), (x, low - 0.35 * size), (x + wide, low)), fill=fill)
        return
    for leaf in range(90):
        angle, away = random.uniform(0, 2 * np.pi), 0.32 * size * np.sqrt(random.uniform())
        up = 0.7 * size - away * np.sin(angle)
        radius = random.uniform(0.03, 0.07) * size
        light = 0.6 + 0.3 * (up / size) + 0.15 * leaf / 90
        centre = x + away * np.cos(angle), y - up
        fill = tuple(int(v) for v in (colour * light).clip(0, 255))
        draw.ellipse(
            (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius),
            fill=fill,
        )

"""Clips that a program draws: a shape that does one of eight things before a noisy ground.

    seed   -->   frames uint8 [FRAMES, SIZE, SIZE, 3], what the shape does

A single frame does not tell which. Another shape lies still, the camera shakes, and each frame has
noise of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from gallery.clips_network import FRAMES, SIZE
from gallery.clothes import Bytes, Floats, drawn_ground
from PIL import Image, ImageDraw

Doubles = npt.NDArray[np.float64]
ACTIONS = (
    "moves left", "moves right", "moves up", "moves down",
    "turns left", "turns right", "grows", "shrinks",
)  # fmt: skip
DIMMED, BRIGHT, DARK = np.float32(0.5), (150, 256), (0, 100)  # ground, shapes, spots on them
SHEET = 64  # pixels of the sheet that a shape is drawn on
CORNERS = (3, 7)
RADIUS = (5.0, 8.0)  # pixels of a shape in a clip
WAY, TURN, GROWTH = (8.0, 15.0), (60.0, 150.0), (1.7, 2.4)  # pixels, degrees, factor of a clip
SHAKE, NOISE = 0.2, (0.01, 0.05)  # pixels, of a brightness of 1


@dataclass(frozen=True)
class Course:
    """Where a shape is: in each frame its middle, its angle in degrees and its radius."""

    x: Doubles
    y: Doubles
    angle: Doubles
    radius: Doubles


def clip(seed: int) -> tuple[Bytes, int]:
    """Frames, and the number of what is done; a seed always gives the same."""
    random = np.random.default_rng(seed)
    action = int(random.integers(len(ACTIONS)))
    ground = DIMMED * drawn_ground(random, SIZE)
    still = course(random, None)
    lay(ground, shape(random), still, 0)
    thing, moving = shape(random), course(random, action)
    noise = np.float32(random.uniform(*NOISE))
    frames = np.repeat(ground[None], FRAMES, 0)
    for number, frame in enumerate(frames):
        lay(frame, thing, moving, number)
    frames += noise * random.standard_normal(frames.shape, np.float32)
    return np.rint(255 * frames.clip(0, 1)).astype(np.uint8), action


def course(random: np.random.Generator, action: int | None) -> Course:
    """Of a shape that does this, or lies still."""
    time = np.linspace(-0.5, 0.5, FRAMES)
    way, turn, growth = (random.uniform(*one) for one in (WAY, TURN, GROWTH))
    name = ACTIONS[action] if action is not None else ""
    direction = {
        "moves left": (-1, 0), "moves right": (1, 0), "moves up": (0, -1), "moves down": (0, 1),
    }.get(name, (0, 0))  # fmt: skip
    turned = {"turns left": -1, "turns right": 1}.get(name, 0)
    grown = {"grows": 1, "shrinks": -1}.get(name, 0)
    x, y = (
        random.uniform(SIZE / 3, SIZE * 2 / 3) + way * one * time
        + random.normal(0, SHAKE, FRAMES)
        for one in direction
    )  # fmt: skip
    radius = random.uniform(*RADIUS) * growth ** (grown * time)
    return Course(x, y, random.uniform(0, 360) + turn * turned * time, radius)


def shape(random: np.random.Generator) -> Image.Image:
    """A polygon with a spot, as an image with an alpha channel; it has no symmetry."""
    corners = int(random.integers(CORNERS[0], CORNERS[1] + 1))
    angles = 2 * np.pi * (np.arange(corners) + random.uniform(-0.3, 0.3, corners)) / corners
    radii = random.uniform(0.45, 1, corners) * (SHEET / 2 - 1)
    points = np.stack((np.cos(angles), np.sin(angles)), 1) * radii[:, None] + SHEET / 2
    one, other = (tuple(random.integers(*bounds, 3).tolist()) for bounds in (BRIGHT, DARK))
    sheet = Image.new("RGBA", (SHEET, SHEET), (*one, 0))
    draw = ImageDraw.Draw(sheet)
    draw.polygon([tuple(point) for point in points.tolist()], fill=(*one, 255))
    spot = (points[0] + SHEET / 2) / 2
    draw.ellipse((*(spot - SHEET / 10), *(spot + SHEET / 10)), fill=(*other, 255))
    return sheet


def lay(frame: Floats, thing: Image.Image, where: Course, number: int) -> None:
    """Lay a shape onto a frame, as its course has it there."""
    angle = np.deg2rad(where.angle[number])
    scale = SHEET / 2 / where.radius[number]
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    x, y = where.x[number], where.y[number]
    # From pixels of the frame to those of the sheet. Its y runs down, so this turns to the right.
    inverse = (cos, sin, SHEET / 2 - cos * x - sin * y, -sin, cos, SHEET / 2 + sin * x - cos * y)
    laid = thing.transform((SIZE, SIZE), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR)
    pixels = np.asarray(laid, np.float32) / 255
    frame += pixels[..., 3:] * (pixels[..., :3] - frame)

"""CIE Lab (D65) of pictures: how light they are, and two colours that lightness says nothing of.

    red, green, blue from 0 to 1   -->   lightness from 0 to 1, a and b from about -1 to 1

Networks see lightness and guess a and b. Scales are 100 of Lab for lightness and 110 for colours.
"""

from __future__ import annotations

import torch
from torch import Tensor

LIGHTNESS, COLOUR = 100.0, 110.0
TO_XYZ = torch.tensor(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = torch.tensor([0.950456, 1.0, 1.088754])
EDGE = 6 / 29  # below it the cube root is a line


def to_lab(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Lightness ``[N, 1, H, W]`` and colours ``[N, 2, H, W]`` of pictures ``[N, 3, H, W]``."""
    linear = torch.where(
        pictures > 0.04045, ((pictures + 0.055) / 1.055).clamp_min(0) ** 2.4, pictures / 12.92
    )
    xyz = torch.einsum("ij,njhw->nihw", TO_XYZ / WHITE[:, None], linear)
    roots = torch.where(
        xyz > EDGE**3, xyz.clamp_min(EDGE**3) ** (1 / 3), xyz / (3 * EDGE**2) + 4 / 29
    )
    x, y, z = roots.unbind(1)
    lightness = (116 * y - 16) / LIGHTNESS
    return lightness[:, None], torch.stack((500 * (x - y), 200 * (y - z)), 1) / COLOUR


def to_rgb(lightness: Tensor, colours: Tensor) -> Tensor:
    """The pictures, cut to what a screen shows."""
    y = (lightness[:, 0] * LIGHTNESS + 16) / 116
    a, b = (colours * COLOUR).unbind(1)
    roots = torch.stack((y + a / 500, y, y - b / 200), 1)
    xyz = torch.where(roots > EDGE, roots**3, 3 * EDGE**2 * (roots - 4 / 29))
    linear = torch.einsum("ij,njhw->nihw", torch.linalg.inv(TO_XYZ), xyz * WHITE[:, None, None])
    linear = linear.clamp(0, 1)
    bright = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, bright, 12.92 * linear)

"""Which colours a grey picture has: a network that sees wide around, by dilated convolutions.

    1 x 256 x 256 -> 64 x 64 x 64 -> 128 x 32 x 32, seven residual blocks -> 2 x 64 x 64, enlarged

The eye sees colours less sharply than lightness, which stays as it is: a quarter of the resolution
is enough for them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 2, 4, 8, 4, 2, 1)
COARSE = 4  # pixels in each direction that share a colour, before they are smoothed


def convolution(channels: int, filters: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut; the first sees far."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels, dilation=dilation)
        self.second = convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second(self.first(x))
        return result


class ColourNetwork(nn.Module):
    """Takes lightness of any size that a multiple of 8 is, and gives colours a and b."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.before = nn.Sequential(
            convolution(1, width, stride=2),
            convolution(width, 2 * width, stride=2),
            convolution(2 * width, 2 * width),
        )
        self.down = convolution(2 * width, 4 * width, stride=2)
        self.body = nn.Sequential(*(Residual(4 * width, far) for far in DILATIONS))
        self.up = convolution(4 * width, 2 * width)
        self.join = convolution(2 * width, 2 * width)
        self.colours = nn.Conv2d(2 * width, 2, 3, padding=1)

    def forward(self, lightness: Tensor) -> Tensor:
        near = self.before(lightness)
        far = functional.interpolate(self.up(self.body(self.down(near))), scale_factor=2.0)
        coarse = torch.tanh(self.colours(self.join(near + far)))
        return functional.interpolate(
            coarse, scale_factor=float(COARSE), mode="bilinear", align_corners=False
        )

"""Which colours a grey picture has: a U-net, whose middle sees all of a picture.

    1 x 256 x 256 -> 64 x 64 x 64 -> 128 x 32 x 32 -> 256 x 16 x 16, five residual blocks
    -> 128 x 32 x 32 -> 64 x 64 x 64 -> 2 x 64 x 64, enlarged

The eye sees colours less sharply than lightness, which stays as it is: a quarter of the resolution
is enough for them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 5
COARSE = 4.0  # pixels in each direction that share a colour, before they are smoothed


def convolution(channels: int, filters: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second(self.first(x))
        return result


class Level(nn.Module):
    """Half the resolution and twice the channels within; what is known at the full one is added.

    Args:
        within: what happens at half the resolution.
    """

    def __init__(self, channels: int, within: nn.Module) -> None:
        super().__init__()
        self.down = convolution(channels, 2 * channels, stride=2)
        self.within = within
        self.up = convolution(2 * channels, channels)
        self.join = convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        coarse = self.up(self.within(self.down(x)))
        result: Tensor = self.join(x + functional.interpolate(coarse, scale_factor=2.0))
        return result


class ColourNetwork(nn.Module):
    """Takes lightness of any size that a multiple of 16 is, and gives colours a and b."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        deepest = nn.Sequential(*(Residual(8 * width) for _ in range(BLOCKS)))
        self.before = nn.Sequential(
            convolution(1, width, stride=2),
            convolution(width, 2 * width, stride=2),
        )
        self.levels = Level(
            2 * width, nn.Sequential(Residual(4 * width), Level(4 * width, deepest))
        )
        self.colours = nn.Conv2d(2 * width, 2, 3, padding=1)

    def forward(self, lightness: Tensor) -> Tensor:
        coarse = torch.tanh(self.colours(self.levels(self.before(lightness))))
        return functional.interpolate(
            coarse, scale_factor=COARSE, mode="bilinear", align_corners=False
        )

"""WDSR for super-resolution (Yu et al., https://arxiv.org/abs/1808.08718), of few blocks.

It widens before each activation, has no batch-norm, and makes the large image by moving channels
into pixels. Weight norm, which helps to train it, is left out: it would be folded away. Blocks are
those of WDSR-B; those of WDSR-A are here, too.
"""

from __future__ import annotations

from calibration import Example, calibrated
from torch import Tensor, nn


def wdsr(size: int = 48, scale: int = 4, blocks: int = 8) -> Example:
    """Takes images of size x size pixels and makes them `scale` times as high and wide."""
    return calibrated(lambda: WDSR(scale, blocks), (3, size, size))


class WDSR(nn.Module):
    """Blocks between two convolutions, beside one 5x5 convolution over the small image."""

    def __init__(self, scale: int = 4, blocks: int = 8, width: int = 32) -> None:
        super().__init__()
        pixels = 3 * scale * scale
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(WideBlock(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, pixels, 3, padding=1)
        self.skip = nn.Conv2d(3, pixels, 5, padding=2)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.tail(self.body(self.head(x))) + self.skip(x))


class WideBlock(nn.Module):
    """A 1x1 convolution to 6 times the channels, one to 0.8 times, and a 3x3 one.

    Args:
        wide: another number of channels than 6 times as many.
    """

    def __init__(self, width: int, wide: int | None = None) -> None:
        super().__init__()
        wide, narrow = wide or 6 * width, width * 4 // 5
        self.widen = nn.Conv2d(width, wide, 1)
        self.relu = nn.ReLU()
        self.narrow = nn.Conv2d(wide, narrow, 1)
        self.conv = nn.Conv2d(narrow, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(self.narrow(self.relu(self.widen(x))))


class SpatialBlock(nn.Module):
    """A 3x3 convolution to more channels, and one back: a block of WDSR-A.

    Args:
        wide: channels in between.
    """

    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, wide, 3, padding=1)
        self.narrow = nn.Conv2d(wide, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.narrow(self.widen(x).relu())
        return result

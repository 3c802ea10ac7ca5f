"""A style network for phones: Johnson's, whose 9x9 convolutions over all pixels are left out.

    3 x 256 x 256 -> 12 x 128 x 128 -> 64 -> 128 x 64 x 64, five residual blocks, and back

Blocks of 2x2 pixels become channels in the beginning and channels become pixels in the end, so that
3x3 convolutions with many channels do nearly all of the work. Norms are those of single images.
What is computed is added to the picture, so that details stay which few channels cannot carry.
"""

from __future__ import annotations

from style import Residual, convolution, upsampling
from torch import Tensor, nn

BLOCK = 2  # pixels in each direction that become channels


class StyleNetwork(nn.Module):
    """Takes and gives images of any size that a multiple of 4 is, from 0 to 1."""

    def __init__(self, width: int = 64, blocks: int = 5) -> None:
        super().__init__()
        pixels = 3 * BLOCK**2
        self.before = nn.Sequential(
            nn.PixelUnshuffle(BLOCK),
            *(convolution(pixels, width, 3), nn.ReLU()),
            *(convolution(width, 2 * width, 3, stride=2), nn.ReLU()),
        )
        self.body = nn.Sequential(*(Residual(2 * width) for _ in range(blocks)))
        self.after = nn.Sequential(
            *(upsampling(2 * width, width), nn.ReLU()),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, pixels, 3),
            nn.PixelShuffle(BLOCK),
        )
        nn.init.zeros_(self.after[-2].weight)  # training begins with the picture as it is
        nn.init.zeros_(self.after[-2].bias)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.after(self.body(self.before(x)))
        return result

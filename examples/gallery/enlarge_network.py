"""Super-resolution of video: a WDSR (examples/networks/wdsr.py) with blocks of two convolutions.

    3 x 360 x 640 -> 32 channels, three blocks that widen to 64 -> 12 -> 3 x 720 x 1280

That is the paper's WDSR-A. Its layers are 3x3, and so have more to prune than those of WDSR-B.
"""

from __future__ import annotations

from torch import Tensor, nn
from wdsr import WDSR

SCALE = 2
WIDTH, WIDE, BLOCKS = 32, 64, 3


class Block(nn.Module):
    """More channels before the activation than between blocks."""

    def __init__(self, width: int, wide: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, wide, 3, padding=1)
        self.narrow = nn.Conv2d(wide, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.narrow(self.widen(x).relu())
        return result


def enlarging_network() -> WDSR:
    """Takes images of any size, from 0 to 1."""
    network = WDSR(SCALE, 0, WIDTH)
    for _ in range(BLOCKS):
        network.body.append(Block(WIDTH, WIDE))
    return network

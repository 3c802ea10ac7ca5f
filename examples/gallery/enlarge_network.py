"""Super-resolution of video: a WDSR (examples/networks/wdsr.py) with blocks of two convolutions.

    3 x 360 x 640 -> 32 channels, three blocks that widen to 64 -> 12 -> 3 x 720 x 1280

That is the paper's WDSR-A. Its layers are 3x3, and so have more to prune than those of WDSR-B.
"""

from __future__ import annotations

from wdsr import WDSR, SpatialBlock

SCALE = 2
WIDTH, WIDE, BLOCKS = 32, 64, 3


def enlarging_network() -> WDSR:
    """Takes images of any size, from 0 to 1."""
    network = WDSR(SCALE, 0, WIDTH)
    for _ in range(BLOCKS):
        network.body.append(SpatialBlock(WIDTH, WIDE))
    return network

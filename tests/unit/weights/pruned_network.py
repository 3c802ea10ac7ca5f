"""The network whose channels torch-pruning removes in `write_files`."""

from __future__ import annotations

from torch import nn


def pruned_network() -> nn.Sequential:
    """As it was before; a layer of each kind that may become smaller."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.PReLU(16), nn.ConvTranspose2d(16, 24, 2, 2),
        nn.GroupNorm(1, 24), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 20),
        nn.LayerNorm(20), nn.Linear(20, 5),
    )  # fmt: skip

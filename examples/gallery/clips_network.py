"""A small R(2+1)D: each 3-D convolution is one within frames and one across them.

    clips [N, 3, FRAMES, SIZE, SIZE]   -->   logits [N, classes]

Blocks are those of examples/networks/r2plus1d.py (https://arxiv.org/abs/1711.11248).
"""

from __future__ import annotations

import torch
from r2plus1d import Block
from torch import Tensor, nn

FRAMES, SIZE = 8, 32
WIDTHS = (24, 48, 96)
STEM = 16


class ClipNet(nn.Module):
    """A stem, three stages of two blocks, global average pooling, a linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, *_, last = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv3d(3, STEM, (1, 5, 5), (1, 2, 2), (0, 2, 2), bias=False),
            nn.BatchNorm3d(STEM),
            nn.ReLU(),
            nn.Conv3d(STEM, first, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(first),
            nn.ReLU(),
        )
        channels, stages = first, []
        for width in WIDTHS:
            stages += [Block(channels, width, stride=2), Block(width, width, stride=1)]
            channels = width
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(last, classes)

    def forward(self, clips: Tensor) -> Tensor:
        seen = self.pool(self.stages(self.stem(clips)))
        logits: Tensor = self.fc(torch.flatten(seen, 1))
        return logits

"""R(2+1)D with 18 layers (Tran et al., https://arxiv.org/abs/1711.11248).

Each 3-D convolution is one within frames (1x3x3) and one across them (3x1x1). Layers are named as
in torchvision (`layer1.0.conv1.0.3`).
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import Tensor, nn
from torch.nn import functional


def r2plus1d_18(size: int = 112, classes: int = 400, frames: int = 16) -> Example:
    """Takes clips of so many frames; its classes are those of Kinetics-400."""
    return calibrated(lambda: R2Plus1D(classes), (3, frames, size, size))


class R2Plus1D(nn.Module):
    """A stem and four stages of two blocks, global average pooling, a linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(),
            nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(),
        )
        channels = 64
        for stage in range(4):
            width = 64 << stage
            first = Block(channels, width, stride=1 if stage == 0 else 2)
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, Block(width, width, 1)))
            channels = width
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Block(nn.Module):
    """Two factored convolutions beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        # So many that the two have as many weights as a 3x3x3 convolution.
        middle = inputs * width * 27 // (inputs * 9 + 3 * width)
        self.conv1 = nn.Sequential(
            _factored(inputs, middle, width, stride), nn.BatchNorm3d(width), nn.ReLU()
        )
        self.conv2 = nn.Sequential(_factored(width, middle, width, 1), nn.BatchNorm3d(width))
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(
                nn.Conv3d(inputs, width, 1, stride, bias=False), nn.BatchNorm3d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv2(self.conv1(x)) + self.downsample(x))


def _factored(inputs: int, middle: int, outputs: int, stride: int) -> nn.Sequential:
    """A convolution within frames, then one across them."""
    return nn.Sequential(
        nn.Conv3d(inputs, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(),
        nn.Conv3d(middle, outputs, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )

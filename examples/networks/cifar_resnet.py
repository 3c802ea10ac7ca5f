"""ResNet-20 for images of 32x32 (He et al., https://arxiv.org/abs/1512.03385, section 4.2).

Shortcuts that change the shape are 1x1 convolutions. It has 0.27 million weights, little to spare.
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from resnet import BasicBlock
from torch import Tensor, nn


class CifarResNet(nn.Module):
    """Three stages of basic blocks with 16, 32 and 64 filters, pooled, and a linear layer."""

    def __init__(self, depth: int = 20, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            blocks = []
            for number in range((depth - 2) // 6):
                stride = 2 if stage > 1 and number == 0 else 1
                blocks.append(BasicBlock(channels, width, stride, batch_norm=True))
                channels = width
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        for stage in range(1, 4):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet20(size: int = 32, classes: int = 10) -> Example:
    """With random, calibrated weights."""
    return calibrated(lambda: CifarResNet(20, classes), (3, size, size))

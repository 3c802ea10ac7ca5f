"""ResNet-18 and ResNet-50 (He et al., https://arxiv.org/abs/1512.03385).

Layers are named as in torchvision (`layer1.0.conv1`).
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import nn
from torch.nn import functional


def resnet18(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """Eighteen layers: basic blocks."""
    return calibrated(
        lambda: ResNet(BasicBlock, (2, 2, 2, 2), classes, batch_norm), (3, size, size)
    )


def resnet50(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """ResNet-50, with the stride in the 3x3 convolutions as everybody trains it today."""
    return calibrated(
        lambda: ResNet(Bottleneck, (3, 4, 6, 3), classes, batch_norm), (3, size, size)
    )


def norm(channels: int, batch_norm: bool) -> nn.Module:
    """Batch-norm, or nothing in a network without."""
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        bias = not batch_norm
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=bias)
        self.bn1 = norm(width, batch_norm)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=bias)
        self.bn2 = norm(width, batch_norm)
        self.downsample = _shortcut(inputs, width, stride, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        bias, outputs = not batch_norm, width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=bias)
        self.bn1 = norm(width, batch_norm)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=bias)
        self.bn2 = norm(width, batch_norm)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=bias)
        self.bn3 = norm(outputs, batch_norm)
        self.downsample = _shortcut(inputs, outputs, stride, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return functional.relu(y + self.downsample(x))


def _shortcut(inputs: int, outputs: int, stride: int, batch_norm: bool) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=not batch_norm)
    return nn.Sequential(convolution, norm(outputs, batch_norm))


class ResNet(nn.Module):
    """A 7x7 convolution, four stages of blocks, global average pooling and a linear layer."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, int, int, int],
        classes: int,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=not batch_norm)
        self.bn1 = norm(64, batch_norm)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for stage, depth in enumerate(depths):
            width, blocks = 64 << stage, []
            for number in range(depth):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(block(channels, width, stride, batch_norm))
                channels = width * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))

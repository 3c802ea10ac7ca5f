"""A small 3-D convolutional network, for voxels or short clips of one channel."""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import Tensor, nn


def small_3d(size: int = 32, classes: int = 2) -> Example:
    """Takes cubes of so many voxels."""
    return calibrated(lambda: Small3D(classes), (1, size, size, size))


class Small3D(nn.Module):
    """Four 3x3x3 convolutions with batch-norm, poolings between them, and a linear layer."""

    WIDTHS = (16, 32, 64, 64)

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in self.WIDTHS:
            layers += [
                nn.Conv3d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm3d(width),
                nn.ReLU(),
                nn.MaxPool3d(2),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))

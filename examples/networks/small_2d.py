"""A small convolutional network for grey images of 14x14: it trains in seconds."""

from __future__ import annotations

from calibration import Example, calibrated
from torch import Tensor, nn


def small_2d(size: int = 14, classes: int = 10) -> Example:
    """With random, calibrated weights."""
    return calibrated(lambda: Small2D(classes), (1, size, size))


class Small2D(nn.Module):
    """Four 3x3 convolutions with batch-norm, averaged over all pixels, and a linear layer."""

    # filters, stride
    LAYERS = ((16, 1), (32, 2), (32, 1), (64, 2))

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width, stride in self.LAYERS:
            layers += [
                nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean((2, 3)))

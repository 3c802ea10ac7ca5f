"""VGG-16 (Simonyan and Zisserman, https://arxiv.org/abs/1409.1556).

Layers are named as in torchvision (`features.3`).
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import nn


def vgg16(size: int = 224, classes: int = 1000, batch_norm: bool = False) -> Example:
    """VGG-16's convolutions, then global average pooling and one linear layer."""
    return calibrated(lambda: VGG(classes, batch_norm, classic=False), (3, size, size))


def vgg16_classic(size: int = 224, classes: int = 1000, batch_norm: bool = False) -> Example:
    """VGG-16 as it was published, with its three large linear layers."""
    return calibrated(lambda: VGG(classes, batch_norm, classic=True), (3, size, size))


def vgg16_cifar(size: int = 32, classes: int = 10) -> Example:
    """VGG-16 with batch-norm for images of 32x32, as papers on pruning train it."""
    return vgg16(size, classes, batch_norm=True)


def half_vgg16(classes: int = 10) -> nn.Module:
    """The same with half as many filters in each layer, to be trained: He's initial weights."""
    network = VGG(classes, batch_norm=True, classic=False, share=0.5)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


class VGG(nn.Module):
    """Thirteen 3x3 convolutions and five max-poolings, then one linear layer or three.

    Of each layer's filters there is a `share`.
    """

    WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

    def __init__(self, classes: int, batch_norm: bool, classic: bool, share: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for widths in self.WIDTHS:
            for filters in widths:
                width = round(share * filters)
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                layers += [nn.BatchNorm2d(width)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7 if classic else 1)
        self.classifier: nn.Module = nn.Linear(channels, classes)
        if classic:
            self.classifier = nn.Sequential(
                nn.Linear(channels * 49, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, classes),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))

"""MobileNetV2 (Sandler et al., https://arxiv.org/abs/1801.04381).

Layers are named as in torchvision (`features.3.conv.0.0`).
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from resnet import norm
from torch import nn
from torch.nn import functional


def mobilenet_v2(size: int = 224, classes: int = 1000, batch_norm: bool = True) -> Example:
    """For images as large as ImageNet's."""
    return calibrated(lambda: MobileNetV2(classes, batch_norm), (3, size, size))


def mobilenet_v2_cifar(size: int = 32, classes: int = 10) -> Example:
    """For images of 32x32: the first two layers that halve the image do not."""
    return calibrated(lambda: MobileNetV2(classes, True, halvings=3), (3, size, size))


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel by a 3x3 one, narrow by a 1x1 one."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, batch_norm: bool
    ) -> None:
        super().__init__()
        width = inputs * expansion
        widen = [_conv_relu6(inputs, width, 1, 1, 1, batch_norm)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *widen,
            _conv_relu6(width, width, 3, stride, width, batch_norm),
            nn.Conv2d(width, outputs, 1, bias=not batch_norm),
            norm(outputs, batch_norm),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """Seventeen inverted residuals between a 3x3 and a 1x1 convolution, then the classifier.

    The image is halved so many times; the first of five halvings are left out.
    """

    # expansion, output channels, repetitions, stride of the first
    STAGES = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def __init__(self, classes: int, batch_norm: bool, halvings: int = 5) -> None:
        super().__init__()
        channels, left_out = 32, 5 - halvings
        layers: list[nn.Module] = [_conv_relu6(3, channels, 3, 1 if left_out else 2, 1, batch_norm)]
        left_out -= 1
        for expansion, width, repetitions, first_stride in self.STAGES:
            halves = first_stride == 2 and left_out <= 0
            left_out -= first_stride == 2
            for number in range(repetitions):
                stride = 2 if halves and number == 0 else 1
                layers.append(InvertedResidual(channels, width, stride, expansion, batch_norm))
                channels = width
        layers.append(_conv_relu6(channels, 1280, 1, 1, 1, batch_norm))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))


def _conv_relu6(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int, batch_norm: bool
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=not batch_norm),
        norm(outputs, batch_norm),
        nn.ReLU6(inplace=True),
    )

"""EfficientNet-B0 (Tan and Le, https://arxiv.org/abs/1905.11946).

Layers are named as in torchvision (`features.3.0.block.1.0`).
"""

from __future__ import annotations

import torch
from calibration import Example, calibrated
from torch import nn
from torch.nn import functional


def efficientnet_b0(size: int = 224, classes: int = 1000) -> Example:
    """The smallest of the family."""
    return calibrated(lambda: EfficientNetB0(classes), (3, size, size))


class SqueezeExcitation(nn.Module):
    """Scale each channel by what the averages of all channels say."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, width, 1)
        self.fc2 = nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = functional.silu(self.fc1(functional.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.fc2(scale))


class MBConv(nn.Module):
    """Widen by a 1x1 convolution, filter each channel, scale channels, narrow by a 1x1 one."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        widen = [_conv_silu(inputs, width, 1)] if expansion != 1 else []
        self.block = nn.Sequential(
            *widen,
            _conv_silu(width, width, kernel, stride, groups=width),
            SqueezeExcitation(width, inputs // 4),
            nn.Sequential(nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.block(x) if self.has_shortcut else self.block(x)


class EfficientNetB0(nn.Module):
    """Sixteen blocks between a 3x3 and a 1x1 convolution, then the classifier."""

    # expansion, kernel, stride of the first, output channels, repetitions
    STAGES = (
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    )

    def __init__(self, classes: int) -> None:
        super().__init__()
        channels = 32
        stages = [_conv_silu(3, channels, 3, 2)]
        for expansion, kernel, first_stride, width, repetitions in self.STAGES:
            blocks = []
            for number in range(repetitions):
                stride = first_stride if number == 0 else 1
                blocks.append(MBConv(channels, width, kernel, stride, expansion))
                channels = width
            stages.append(nn.Sequential(*blocks))
        stages.append(_conv_silu(channels, 1280, 1))
        self.features = nn.Sequential(*stages)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))


def _conv_silu(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.SiLU(inplace=True),
    )

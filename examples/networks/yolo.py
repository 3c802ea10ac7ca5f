"""The smallest YOLOv8 (Jocher et al., https://docs.ultralytics.com/models/yolov8), a detector.

Its result is what the three heads say of each place of their maps, before boxes are decoded.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from calibration import Example, calibrated
from torch import nn
from torch.nn import functional

BINS = 16  # of the distance to each of a box's four sides


def yolov8n(size: int = 640, classes: int = 80) -> Example:
    """For square images whose size is a multiple of 32."""
    return calibrated(lambda: Yolo(classes), (3, size, size))


class Conv(nn.Module):
    """A convolution with batch-norm and SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.silu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """Two 3x3 convolutions, in the backbone beside a shortcut."""

    def __init__(self, channels: int, has_shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.has_shortcut = has_shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.has_shortcut else y


class C2f(nn.Module):
    """Bottlenecks one behind the other on half of the channels, and all their results joined."""

    def __init__(self, inputs: int, outputs: int, depth: int, has_shortcut: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.cv1 = Conv(inputs, outputs)
        self.cv2 = Conv((2 + depth) * half, outputs)
        self.m = nn.ModuleList(Bottleneck(half, has_shortcut) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for bottleneck in self.m:
            parts.append(bottleneck(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class Sppf(nn.Module):
    """Maxima over ever larger windows, joined."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(functional.max_pool2d(parts[-1], 5, 1, 2))
        return self.cv2(torch.cat(parts, 1))


class Detect(nn.Module):
    """For each place of each map: the bins of a box's sides, and how likely each class is."""

    def __init__(self, classes: int, channels: Sequence[int]) -> None:
        super().__init__()
        middle = max(channels[0], min(classes, 100))
        self.cv2 = nn.ModuleList(_head(width, 4 * BINS, 4 * BINS) for width in channels)
        self.cv3 = nn.ModuleList(_head(width, middle, classes) for width in channels)

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        heads = zip(self.cv2, self.cv3, maps, strict=True)
        told = [torch.cat((boxes(x), scores(x)), 1).flatten(2) for boxes, scores, x in heads]
        return torch.cat(told, 2)


class Yolo(nn.Module):
    """Backbone, a pyramid up and down again, and a head for each of three sizes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), C2f(32, 32, 1, True))
        self.fine = nn.Sequential(Conv(32, 64, 3, 2), C2f(64, 64, 2, True))
        self.middle = nn.Sequential(Conv(64, 128, 3, 2), C2f(128, 128, 2, True))
        self.coarse = nn.Sequential(Conv(128, 256, 3, 2), C2f(256, 256, 1, True), Sppf(256))
        self.up_middle = C2f(256 + 128, 128, 1)
        self.up_fine = C2f(128 + 64, 64, 1)
        self.halve_fine = Conv(64, 64, 3, 2)
        self.down_middle = C2f(64 + 128, 128, 1)
        self.halve_middle = Conv(128, 128, 3, 2)
        self.down_coarse = C2f(128 + 256, 256, 1)
        self.detect = Detect(classes, (64, 128, 256))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.fine(self.stem(x))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        up = self.up_middle(torch.cat((_doubled(coarse), middle), 1))
        fine = self.up_fine(torch.cat((_doubled(up), fine), 1))
        middle = self.down_middle(torch.cat((self.halve_fine(fine), up), 1))
        coarse = self.down_coarse(torch.cat((self.halve_middle(middle), coarse), 1))
        return self.detect((fine, middle, coarse))


def _head(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        Conv(inputs, width, 3), Conv(width, width, 3), nn.Conv2d(width, outputs, 1)
    )


def _doubled(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")

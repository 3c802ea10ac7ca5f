"""Style transfer: Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (2016).

With instance norms and nearest upsampling, as its authors and PyTorch's examples have it today.
"""

from __future__ import annotations

import torch
from calibration import Example, inputs
from torch import Tensor, nn


def convolution(channels: int, filters: int, size: int, stride: int = 1) -> nn.Sequential:
    """With reflected borders, and a norm of each image's channels."""
    return nn.Sequential(
        nn.ReflectionPad2d(size // 2),
        nn.Conv2d(channels, filters, size, stride),
        nn.InstanceNorm2d(filters, affine=True),
    )


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels, 3)
        self.second = convolution(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second(torch.relu(self.first(x)))
        return result


def upsampling(channels: int, filters: int) -> nn.Sequential:
    """Twice as high and wide."""
    return nn.Sequential(nn.Upsample(scale_factor=2), convolution(channels, filters, 3))


def style_network(size: int = 256, width: int = 32) -> Example:
    """Random weights, the same ones every time. Norms keep activations in range."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            *(convolution(3, width, 9), nn.ReLU()),
            *(convolution(width, 2 * width, 3, stride=2), nn.ReLU()),
            *(convolution(2 * width, 4 * width, 3, stride=2), nn.ReLU()),
            *(Residual(4 * width) for _ in range(5)),
            *(upsampling(4 * width, 2 * width), nn.ReLU()),
            *(upsampling(2 * width, width), nn.ReLU()),
            nn.ReflectionPad2d(4),
            nn.Conv2d(width, 3, 9),
        )
    return model.eval().requires_grad_(False), (inputs(1, (3, size, size)),)

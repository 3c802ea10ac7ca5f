"""Each kernel with whatever leaves remainders; results have halos and phases of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from .cases import Case
from .random_layers import CONVOLUTIONS, fill, tensor


def odd_layers() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(12)
    line, image, volume = odd_inputs(rng)

    def conv(rank: int, *arguments: Any, scheme: str = "dense", **options: Any) -> nn.Module:
        return fill(CONVOLUTIONS[rank - 1](*arguments, **options), scheme, rng)

    networks: dict[str, tuple[nn.Module, Any]] = {
        "1-D": (conv(1, 5, 13, 7, padding=3), line),
        "1-D stride 3": (conv(1, 5, 9, 4, stride=3, padding=2, scheme="blocks of 8"), line),
        "1-D depthwise": (conv(1, 5, 5, 3, padding=1, groups=5), line),
        "2-D": (conv(2, 5, 17, 3, padding=1, scheme="blocks of 8"), image),
        "wide padding": (conv(2, 5, 3, 3, padding=(5, 2)), image),
        "stride 2 and 3": (conv(2, 5, 8, 3, stride=(2, 3), padding=1), image),
        "stride without taps in between": (conv(2, 5, 8, 1, stride=3), image),
        "dilation": (conv(2, 5, 7, 3, dilation=(3, 2), padding=4, scheme="unstructured"), image),
        "groups": (conv(2, 5, 35, 2, groups=5, scheme="blocks of 4"), image),
        "depthwise": (conv(2, 5, 5, 3, padding=1, groups=5), image),
        "strided depthwise": (conv(2, 5, 5, 5, stride=2, padding=2, groups=5), image),
        "strided depthwise of short rows": (
            conv(2, 5, 5, 3, stride=2, padding=1, groups=5),
            tensor(rng, 2, 5, 14, 14),
        ),
        "pruned depthwise": (conv(2, 5, 5, 5, padding=2, groups=5, scheme="unstructured"), image),
        "3-D": (conv(3, 5, 9, 3, padding=1, scheme="channel"), volume),
        "3-D stride 2": (conv(3, 5, 9, 3, stride=2, padding=1), volume),
        "no weights": (conv(2, 5, 6, 3, scheme="all zero"), image),
        "a weight": (conv(2, 5, 6, 3, padding=1, scheme="one weight"), image),
        "maximum": (nn.MaxPool2d(3, 2, 1), image),
        "maximum, ceil": (nn.MaxPool2d(4, 3, 2, ceil_mode=True), image),
        "dilated maximum": (nn.MaxPool2d(5, 1, 2, dilation=2), image),
        "1-D maximum": (nn.MaxPool1d(5, 4, 2), line),
        "3-D maximum": (nn.MaxPool3d(3, 2, 1), volume),
        "average": (nn.AvgPool2d(3, 2, 1), image),
        "3-D average": (nn.AvgPool3d(2, 1, 1), volume),
        "global maximum": (nn.AdaptiveMaxPool2d(1), image),
        "global average": (nn.AdaptiveAvgPool2d(1), image),
        "3-D global average": (nn.AdaptiveAvgPool3d(1), volume),
        "linear": (fill(nn.Linear(31, 70), "blocks of 4", rng), tensor(rng, 7, 31)),
        "linear, one row": (fill(nn.Linear(3, 129), "unstructured", rng), tensor(rng, 1, 3)),
        "linear of many columns": (
            fill(nn.Linear(650, 22), "blocks of 4", rng),
            tensor(rng, 5, 650),
        ),
        "linear of one": (fill(nn.Linear(1, 1), "dense", rng), tensor(rng, 3, 1)),
        "joined": (Joined(lambda *sizes, **options: conv(2, *sizes, **options)), image),
        "joined, one image": (
            Joined(lambda *sizes, **options: conv(2, *sizes, **options)),
            image[:1],
        ),
        "halo for the next": (
            nn.Sequential(
                conv(2, 5, 11, 3, padding=1),
                nn.ReLU(),
                conv(2, 11, 11, 5, stride=2, padding=3, groups=11),
                nn.MaxPool2d(3, 2, 1),
                conv(2, 11, 3, 7, padding=6, dilation=2),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                fill(nn.Linear(3, 10), "dense", rng),
            ),
            image,
        ),
        "depthwise of narrow rows": (
            conv(2, 5, 5, 3, padding=1, groups=5),
            tensor(rng, 2, 5, 14, 3),
        ),
        # Most tiles of pixels are within a row, on targets of short vectors.
        "long rows": (conv(2, 5, 9, 3, padding=1), tensor(rng, 1, 5, 3, 61)),
        "3-D, long rows": (conv(3, 2, 9, 3, padding=1), tensor(rng, 1, 2, 3, 2, 61)),
    }
    return [Case(name, model, (x,)) for name, (model, x) in networks.items()]


class Joined(nn.Module):
    """Concatenations of what layers write: into its place if nobody else reads it, else copied."""

    def __init__(self, conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.inner = conv(5, 3, 3, padding=1)
        self.wide = conv(5, 9, 5, padding=2, groups=1)
        self.depthwise = conv(5, 5, 3, padding=1, groups=5)
        self.outer = conv(27, 4, 3, padding=1)
        self.last = conv(31, 2, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = torch.relu(self.inner(x))
        pooled = torch.max_pool2d(x, 3, 1, 1)
        first = torch.cat([inner, self.wide(x), self.depthwise(x)], 1)
        second = torch.cat([first, pooled, pooled], 1)
        read_again = torch.relu(self.outer(second))
        result: torch.Tensor = self.last(torch.cat([second, read_again], 1))
        return result


def odd_patterns() -> list[Case]:
    """Layers for the kernel of patterns, which takes longer to interpret than the others."""
    rng = np.random.default_rng(13)
    line, image, volume = odd_inputs(rng)

    def conv(rank: int, *arguments: Any, **options: Any) -> nn.Module:
        return fill(CONVOLUTIONS[rank - 1](*arguments, **options), "patterns for 1", rng)

    networks: dict[str, tuple[nn.Module, Any]] = {
        "2-D": (conv(2, 5, 17, 3, padding=1), image),
        "1-D": (conv(1, 5, 9, 5, padding=2, dilation=2), line),
        "3-D": (conv(3, 5, 9, 3, padding=1), volume),
        "stride 2": (conv(2, 5, 8, 3, stride=2, padding=1), image),
        "groups": (conv(2, 4, 22, 3, padding=1, groups=2), image[:, :4]),
        "halo for the next": (
            nn.Sequential(conv(2, 5, 7, 3, padding=1), nn.ReLU(), conv(2, 7, 9, 5, padding=4)),
            image[:1],
        ),
    }
    return [Case(name, model, (x,)) for name, (model, x) in networks.items()]


def odd_single_filters() -> list[Case]:
    """Layers for the kernel that computes filters one by one."""
    rng = np.random.default_rng(14)
    line, image, volume = odd_inputs(rng)

    def conv(rank: int, *arguments: Any, **options: Any) -> nn.Module:
        return thinned(CONVOLUTIONS[rank - 1](*arguments, **options), rng)

    networks: dict[str, tuple[nn.Module, Any]] = {
        "2-D": (conv(2, 5, 17, 3, padding=1), image),
        "1x1": (conv(2, 5, 16, 1), image),
        "1-D": (conv(1, 5, 9, 5, padding=2, dilation=2), line),
        "3-D": (conv(3, 5, 11, 3, padding=1), volume),
        "stride 2": (conv(2, 5, 13, 3, stride=2, padding=1), image),
        "groups": (conv(2, 4, 22, 3, padding=1, groups=2), image[:, :4]),
        "one vector": (conv(2, 5, 12, 3), image[:, :, :4, :5]),
        "halo for the next": (
            nn.Sequential(conv(2, 5, 14, 3, padding=1), nn.ReLU(), conv(2, 14, 9, 5, padding=4)),
            image[:1],
        ),
    }
    return [Case(name, model, (x,)) for name, (model, x) in networks.items()]


def thinned(layer: nn.Module, rng: np.random.Generator) -> nn.Module:
    """Weights with one in eight left: few enough that no scheme explains them."""
    fill(layer, "dense", rng)
    weights = layer.get_parameter("weight")
    with torch.no_grad():
        weights *= torch.from_numpy(rng.random(weights.shape) < 0.12)
    return layer


def odd_inputs(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Five channels in one, two and three dimensions."""
    return tensor(rng, 3, 5, 131), tensor(rng, 3, 5, 9, 37), tensor(rng, 1, 5, 4, 5, 7)

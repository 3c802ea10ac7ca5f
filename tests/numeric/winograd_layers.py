"""Convolutions of 3x3 with whatever leaves remainders of tiles, vectors, blocks and groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from niwaki.passes import winograd_choice
from niwaki.winograd import PAIRS

from .cases import Case
from .random_layers import Generator, fill, pick, tensor

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 17, 30)
CHANNELS = (1, 2, 3, 7, 16, 19)
FILTERS = (1, 3, 8, 9, 16, 23, 33)
PADDINGS = (0, 1, 1, 1, 2, (1, 0), (0, 2), (2, 3))


def always(monkeypatch: pytest.MonkeyPatch, outputs: int, most_tiles: int, together: int) -> None:
    """Let every layer that can take the kernel have it, with tiles and blocks of these sizes."""
    monkeypatch.setattr(winograd_choice, "WORTH", 1e9)
    monkeypatch.setattr(winograd_choice, "PAIRS", {outputs: PAIRS[outputs]})
    monkeypatch.setattr(winograd_choice, "MOST_TILES", most_tiles)
    monkeypatch.setattr(winograd_choice, "TOGETHER", together)
    monkeypatch.setattr(winograd_choice, "MOST_WORKGROUPS", 2)


def random_case(rng: Generator) -> Case:
    """A layer with or without bias, activation and residual, alone or before another one."""
    while True:
        images, channels, filters = pick(rng, (1, 1, 3)), pick(rng, CHANNELS), pick(rng, FILTERS)
        height, width, padding = pick(rng, SIZES), pick(rng, SIZES), pick(rng, PADDINGS)
        before = np.broadcast_to(padding, 2)
        if height + 2 * before[0] >= 3 and width + 2 * before[1] >= 3:
            break
    bias, kind = pick(rng, (True, False)), pick(rng, ("alone", "relu", "residual", "two"))
    model: nn.Module = conv(rng, channels, filters, padding=padding, bias=bias)
    if kind == "relu":
        model = nn.Sequential(model, nn.ReLU())
    elif kind == "residual":
        model = Residual(model, conv(rng, channels, filters, padding=padding, bias=False))
    elif kind == "two":
        model = nn.Sequential(model, nn.Hardswish(), conv(rng, filters, 5, padding=1))
    name = f"{images}x{channels}x{height}x{width} to {filters}, padding {padding}, {kind}"
    return Case(name, model, (tensor(rng, images, channels, height, width),))


def odd_winograd() -> list[Case]:
    """A few layers, since their kernels take long to interpret."""
    rng = np.random.default_rng(14)
    image = tensor(rng, 2, 3, 9, 14)
    networks: dict[str, nn.Module] = {
        "same size": conv(rng, 3, 17, padding=1),
        "wide padding": conv(rng, 3, 2, padding=(3, 2)),
        "no padding": conv(rng, 3, 9, bias=False),
        "two": nn.Sequential(conv(rng, 3, 5, padding=1), nn.ReLU(), conv(rng, 5, 3, padding=2)),
        "residual": Residual(conv(rng, 3, 5, padding=1), conv(rng, 3, 5, padding=1)),
    }
    return [Case(name, model, (image,)) for name, model in networks.items()]


class Residual(nn.Module):
    """The sum of two layers, after a ReLU."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: torch.Tensor) -> Any:
        return torch.relu(self.first(x) + self.second(x))


def conv(rng: Generator, channels: int, filters: int, **options: Any) -> nn.Module:
    """A dense convolution of 3x3 with random weights."""
    layer: nn.Module = fill(nn.Conv2d(channels, filters, 3, **options), "dense", rng)
    return layer

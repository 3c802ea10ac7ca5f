"""Convolutions of 3x3 and 4x4 taps, in the phases of their input if they are strided.

With whatever leaves remainders of tiles, vectors, blocks and groups.
"""

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

# Whatever the padding, squares of so many taps.
WINDOWS: dict[int, tuple[dict[str, Any], ...]] = {
    3: (
        {"kernel_size": 3},
        {"kernel_size": 5, "stride": 2},
        {"kernel_size": (3, 5), "stride": (1, 2)},
        {"kernel_size": 3, "stride": 2, "dilation": 2},
    ),
    4: (
        {"kernel_size": 7, "stride": 2},
        {"kernel_size": 4},
        {"kernel_size": (10, 7), "stride": (3, 2)},
    ),
}


def always(monkeypatch: pytest.MonkeyPatch, outputs: int, most_tiles: int, together: int) -> None:
    """Let every layer that can take the kernel have it, with tiles and blocks of these sizes."""
    monkeypatch.setattr(winograd_choice, "WORTH", 1e9)
    sizes = [size for size in PAIRS if size[0] == outputs]
    monkeypatch.setattr(winograd_choice, "PAIRS", {size: PAIRS[size] for size in sizes})
    monkeypatch.setattr(winograd_choice, "MOST_TILES", most_tiles)
    monkeypatch.setattr(winograd_choice, "TOGETHER", together)
    monkeypatch.setattr(winograd_choice, "MOST_WORKGROUPS", 2)


def windows(outputs: int) -> list[dict[str, Any]]:
    """Those for which there are tiles of this size."""
    return [window for taps in WINDOWS if (outputs, taps) in PAIRS for window in WINDOWS[taps]]


def random_case(rng: Generator, outputs: int) -> Case:
    """A layer with or without bias, activation and residual, alone or before another one."""
    window = pick(rng, windows(outputs))
    extent = np.subtract(window["kernel_size"], 1) * window.get("dilation", 1) + 1
    while True:
        images, channels, filters = pick(rng, (1, 1, 3)), pick(rng, CHANNELS), pick(rng, FILTERS)
        height, width, padding = pick(rng, SIZES), pick(rng, SIZES), pick(rng, PADDINGS)
        if np.all(np.add((height, width), 2 * np.array(padding)) >= extent):
            break
    bias, kind = pick(rng, (True, False)), pick(rng, ("alone", "relu", "residual", "two"))
    options = {**window, "padding": padding}
    model: nn.Module = conv(rng, channels, filters, **options, bias=bias)
    if kind == "relu":
        model = nn.Sequential(model, nn.ReLU())
    elif kind == "residual":
        model = Residual(model, conv(rng, channels, filters, **options, bias=False))
    elif kind == "two":
        model = nn.Sequential(model, nn.Hardswish(), conv(rng, filters, 5, padding=1))
    name = f"{images}x{channels}x{height}x{width} to {filters}, {options}, {kind}"
    return Case(name, model, (tensor(rng, images, channels, height, width),))


def odd_winograd(outputs: int) -> list[Case]:
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
    for window in windows(outputs)[1:]:
        networks[f"window {window}"] = conv(rng, 3, 9, padding=(1, 3), **window)
    return [Case(name, model, (image,)) for name, model in networks.items()]


class Residual(nn.Module):
    """The sum of two layers, after a ReLU."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: torch.Tensor) -> Any:
        return torch.relu(self.first(x) + self.second(x))


def conv(rng: Generator, channels: int, filters: int, **options: Any) -> nn.Module:
    """A dense convolution, of 3x3 if nothing else is asked for, with random weights."""
    options = {"kernel_size": 3, **options}
    layer: nn.Module = fill(nn.Conv2d(channels, filters, **options), "dense", rng)
    return layer

"""Convolutions of 3x3 and 4x4 taps, in the phases of their input if they are strided.

With whatever leaves remainders of tiles, vectors, blocks and groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from niwaki.passes.families import winograd, winograd_tiles
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
    monkeypatch.setattr(winograd, "winograd_seconds", lambda op, target: 0.0)
    sizes = [size for size in PAIRS if size[0] == outputs]
    monkeypatch.setattr(winograd_tiles, "PAIRS", {size: PAIRS[size] for size in sizes})
    monkeypatch.setattr(winograd_tiles, "MOST_TILES", most_tiles)
    monkeypatch.setattr(winograd_tiles, "TOGETHER", together)
    monkeypatch.setattr(winograd_tiles, "MOST_WORKGROUPS", 2)


def windows(outputs: int) -> list[dict[str, Any]]:
    """Those for which there are tiles of this size."""
    return [window for taps in WINDOWS if (outputs, taps) in PAIRS for window in WINDOWS[taps]]


def random_case(rng: Generator, outputs: int) -> Case:
    """A layer with or without bias, activation and residual, alone or before another one."""
    window = pick(rng, windows(outputs))
    extent = np.subtract(window["kernel_size"], 1) * window.get("dilation", 1) + 1
    while True:
        images, channels, filters = pick(rng, (1, 1, 3)), pick(rng, CHANNELS), pick(rng, FILTERS)
        sizes: tuple[int, ...] = (pick(rng, SIZES), pick(rng, SIZES))
        padding = pick(rng, PADDINGS)
        if np.all(np.add(sizes, 2 * np.array(padding)) >= extent):
            break
    options = {**window, "padding": padding}
    if pick(rng, (True, False, False)):
        sizes, options = with_frames(rng, sizes, options)
    bias, kind = pick(rng, (True, False)), pick(rng, ("alone", "relu", "residual", "two", "pooled"))
    model: nn.Module = conv(rng, channels, filters, **options, bias=bias)
    if kind == "relu":
        model = nn.Sequential(model, nn.ReLU())
    elif kind == "residual":
        model = Residual(model, conv(rng, channels, filters, **options, bias=False))
    elif kind == "two":
        kernel = (3,) * len(sizes)
        second = conv(rng, filters, 5, kernel_size=kernel, padding=1)
        model = nn.Sequential(model, nn.Hardswish(), second)
    x = tensor(rng, images, channels, *sizes)
    if kind == "pooled" and min(model(x).shape[-2:]) > 1:
        model = pooled(model, len(sizes))
    name = f"{images}x{channels}x{sizes} to {filters}, {options}, {kind}"
    return Case(name, model, (x,))


def with_frames(
    rng: Generator, sizes: tuple[int, ...], options: dict[str, Any]
) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Sizes and window of an image as those of a clip."""
    taps, stride, dilation = pick(rng, (1, 2, 3)), pick(rng, (1, 1, 2)), pick(rng, (1, 1, 2))
    frames = pick(rng, (1, 2, 3, 5)) + (taps - 1) * dilation
    front = {"kernel_size": taps, "stride": stride, "dilation": dilation, "padding": taps // 2}
    options = {"stride": 1, "dilation": 1, **options}
    window = {name: (front[name], *in_plane(options[name])) for name in front}
    return (frames, *sizes), window


def in_plane(numbers: int | tuple[int, int]) -> tuple[int, int]:
    """Of rows and columns, where one number may stand for both."""
    return (numbers, numbers) if isinstance(numbers, int) else numbers


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
    networks["pooled"] = pooled(conv(rng, 3, 17, padding=1), 2)
    clips = {
        "clips, pooled": pooled(conv(rng, 3, 9, kernel_size=(3, 3, 3), padding=1), 3),
        "clips": conv(rng, 3, 9, kernel_size=(3, 3, 3), padding=1),
        "clips, far frames": conv(
            rng, 3, 5, kernel_size=(2, 3, 3), padding=(2, 0, 1), dilation=(2, 1, 1)
        ),
        "clips, every second frame": conv(
            rng, 3, 5, kernel_size=(3, 3, 3), padding=1, stride=(2, 1, 1)
        ),
    }
    for window in windows(outputs)[1:]:
        networks[f"window {window}"] = conv(rng, 3, 9, padding=(1, 3), **window)
    clip = tensor(rng, 2, 3, 4, 6, 9)
    return [
        *(Case(name, model, (image,)) for name, model in networks.items()),
        *(Case(name, model, (clip,)) for name, model in clips.items()),
    ]


class Residual(nn.Module):
    """The sum of two layers, after a ReLU."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: torch.Tensor) -> Any:
        return torch.relu(self.first(x) + self.second(x))


def pooled(layer: nn.Module, rank: int) -> nn.Module:
    """Maxima over windows of 2x2, where the tail may give other ones than its argument's."""
    pool = nn.MaxPool2d(2) if rank == 2 else nn.MaxPool3d((1, 2, 2))
    return nn.Sequential(layer, nn.Hardswish(), pool)


def conv(rng: Generator, channels: int, filters: int, **options: Any) -> nn.Module:
    """A dense convolution, of 3x3 if nothing else is asked for, with random weights."""
    options = {"kernel_size": 3, **options}
    kind = nn.Conv3d if np.size(options["kernel_size"]) == 3 else nn.Conv2d
    layer: nn.Module = fill(kind(channels, filters, **options), "dense", rng)
    return layer

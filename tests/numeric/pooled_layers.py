"""Convolutions with a maximum over windows behind them, of sizes that leave remainders."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from chosen import own_family
from torch import nn

from niwaki.passes import fuse_pooling, select_kernels
from niwaki.passes.families import gather_pool

from .cases import Case
from .random_layers import CONVOLUTIONS, Generator, fill, join, output_size, pick, tensor

POOLS = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
WINDOWS: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((2, 2), (2, 2), (1, 2)),
    3: ((1, 2, 2), (2, 2, 2), (2, 1, 2)),
}
SIZES = {2: (2, 3, 5, 8, 13, 17, 35), 3: (2, 3, 4, 5, 9)}
SCHEMES = ("dense", "blocks of 2", "blocks of 4", "blocks of 8", "one weight")
TAILS = (nn.Identity, nn.ReLU, nn.SiLU, nn.Hardswish, nn.LeakyReLU)


def always(monkeypatch: pytest.MonkeyPatch, seed: int | None = None) -> None:
    """Let every pooling be fused that can be; with a seed in any of the kernel's tiles."""
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    monkeypatch.setattr(fuse_pooling, "pooling_seconds", lambda *_: float("inf"))
    if seed is not None:
        generator = random.Random(seed)
        monkeypatch.setattr(gather_pool, "gather_pool_seconds", lambda *_: generator.uniform(1, 2))


def random_pooled(rng: Generator, most_work: int = 3_000_000) -> Case:
    """A convolution of any form, a tail, a pooling, and perhaps a layer that needs a halo."""
    while True:
        rank, groups = pick(rng, (2, 2, 3)), pick(rng, (1, 1, 1, 2, 3))
        channels = groups * pick(rng, (1, 2, 3, 7))
        filters = groups * pick(rng, (2, 3, 5, 8, 13, 17))
        kernel, stride, dilation, padding, size = (
            [pick(rng, values) for _ in range(rank)]
            for values in ((1, 2, 3, 3), (1, 1, 1, 2, 3), (1, 1, 2), (0, 1, 1, 2, 3), SIZES[rank])
        )
        window = pick(rng, WINDOWS[rank])
        computed = list(map(output_size, size, kernel, stride, dilation, padding, padding))
        sizes = [one // two for one, two in zip(computed, window, strict=True)]
        images = pick(rng, (1, 1, 2, 3))
        work = images * filters * (channels // groups) * int(np.prod(kernel))
        # A single pixel is written as a plain tensor, which the pooling alone does.
        if min(sizes) >= 1 and max(sizes) > 1 and work * int(np.prod(computed)) <= most_work:
            break
    scheme, bias, tail = pick(rng, SCHEMES), pick(rng, (True, False)), pick(rng, TAILS)
    layer = CONVOLUTIONS[rank - 1](
        channels, filters, kernel, stride, padding, dilation, groups, bias
    )
    layers: list[nn.Module] = [fill(layer, scheme, rng), tail(), POOLS[rank](window)]
    if pick(rng, (True, False)):
        after = CONVOLUTIONS[rank - 1](filters, 3, 3, padding=pick(rng, (1, 2)))
        layers.append(fill(after, "dense", rng))
    name = (
        f"conv {channels}->{filters} of {images}x{join(size)} kernel {join(kernel)}"
        f" stride {join(stride)} dilation {join(dilation)} padding {join(padding)} groups {groups},"
        f" {scheme}, bias {bias}, {tail.__name__}, max {join(window)}, {len(layers)} layers"
    )
    return Case(name, nn.Sequential(*layers), (tensor(rng, images, channels, *size),))


class Joined(nn.Module):
    """Two pooled convolutions whose channels follow one another."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([nn.functional.max_pool2d(branch(x), 2) for branch in self.branches], 1)


def odd_pooled() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(21)

    def conv(rank: int, *arguments: Any, scheme: str = "dense", **options: Any) -> nn.Module:
        return fill(CONVOLUTIONS[rank - 1](*arguments, **options), scheme, rng)

    image, volume = tensor(rng, 2, 5, 11, 37), tensor(rng, 2, 3, 5, 7, 9)
    networks: dict[str, tuple[list[nn.Module], Any]] = {
        "2-D": ([conv(2, 5, 17, 3, padding=1, scheme="blocks of 8"), nn.MaxPool2d(2)], image),
        "columns alone": ([conv(2, 5, 9, 3, padding=1), nn.MaxPool2d((1, 2))], image),
        "stride 2": ([conv(2, 5, 6, 3, stride=2, padding=1), nn.MaxPool2d(2)], image),
        "groups": ([conv(2, 5, 35, 2, groups=5, scheme="blocks of 4"), nn.MaxPool2d(2)], image),
        "wide padding": ([conv(2, 5, 3, 3, padding=(5, 4)), nn.MaxPool2d(2)], image),
        "3-D": ([conv(3, 3, 9, 3, padding=1), nn.MaxPool3d(2)], volume),
        "frame by frame": ([conv(3, 3, 9, 3, padding=1), nn.MaxPool3d((1, 2, 2))], volume),
        "concatenation": (
            [
                Joined(conv(2, 5, 9, 3, padding=1), conv(2, 5, 6, 5, padding=2)),
                conv(2, 15, 4, 3, padding=1),
                nn.MaxPool2d((1, 2)),
            ],
            image[:1],
        ),
        "halo for the next": (
            [
                conv(2, 5, 11, 3, padding=1),
                nn.SiLU(),
                nn.MaxPool2d(2),
                conv(2, 11, 7, 3, padding=2, dilation=2),
                nn.MaxPool2d(2),
            ],
            image,
        ),
    }
    return [Case(name, nn.Sequential(*layers), (x,)) for name, (layers, x) in networks.items()]

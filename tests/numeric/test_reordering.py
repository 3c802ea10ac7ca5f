"""Networks whose filters get another order against PyTorch: whoever reads them must follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from niwaki.passes import reorder_kernels
from niwaki.passes.channels.sets import Channels
from niwaki.passes.reorder_kernels import Order

from .cases import Case, check
from .random_graphs import random_graph
from .random_layers import CONVOLUTIONS, Generator, fill, tensor

KEPT = 0.25


def hidden(layer: nn.Module, rng: Generator, block: int = 8) -> nn.Module:
    """Weights in blocks of filters that keep the same columns, in any order within each group."""
    shape = layer.get_parameter("weight").shape
    groups = getattr(layer, "groups", 1)
    filters, columns = shape[0] // groups, int(np.prod(shape[1:]))
    fill(layer, "dense", rng)
    for group in range(groups):
        kept = np.repeat(rng.random((-(-filters // block), columns)) < KEPT, block, axis=0)
        mask = kept[:filters][rng.permutation(filters)].reshape(filters, *shape[1:])
        with torch.no_grad():
            layer.weight[group * filters : (group + 1) * filters] *= torch.from_numpy(mask) / 0.5
    return layer


class Residual(nn.Module):
    """Both branches of an add write one order, and one of them reads it too."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.stem = hidden(nn.Conv2d(4, 16, 3, padding=1), rng)
        self.first = hidden(nn.Conv2d(16, 24, 3, padding=1), rng)
        self.second = hidden(nn.Conv2d(24, 16, 3, padding=1), rng)
        self.head = fill(nn.Conv2d(16, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.second(torch.relu(self.first(x))))
        return self.head(x)


class Dense(nn.Module):
    """Concatenations, one of them of a value with itself; a max-pooling between."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.first = hidden(nn.Conv2d(4, 16, 3, padding=1), rng)
        self.second = hidden(nn.Conv2d(20, 24, 3, padding=1), rng)
        self.third = hidden(nn.Conv2d(20 + 48, 8, 1), rng)
        self.head = fill(nn.Conv2d(8, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([x, torch.relu(self.first(x))], dim=1)
        y = torch.relu(self.second(x))
        joined = torch.max_pool2d(torch.cat([x, y, y], dim=1), 3, 2, 1)
        return self.head(torch.relu(self.third(joined)))


class Mobile(nn.Module):
    """A depthwise convolution, PReLU with a slope for each channel, squeeze and excitation."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.expand = hidden(nn.Conv2d(4, 32, 1), rng, 4)
        self.slopes = nn.PReLU(32)
        self.slopes.weight.data = torch.from_numpy(rng.random(32, dtype=np.float32))
        self.depthwise = fill(nn.Conv2d(32, 32, 3, 2, 1, groups=32), "dense", rng)
        self.squeeze = hidden(nn.Conv2d(32, 16, 1), rng)
        self.excite = fill(nn.Conv2d(16, 32, 1), "dense", rng)
        self.project = fill(nn.Conv2d(32, 8, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.depthwise(self.slopes(self.expand(x)))
        scale = self.excite(torch.relu(self.squeeze(x.mean([2, 3], keepdim=True))))
        return self.project(x * torch.sigmoid(scale))


class Grouped(nn.Module):
    """Channels that stay within groups: those of the layer before, and of the one behind."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.first = hidden(nn.Conv2d(4, 48, 3, padding=1, groups=2), rng)
        self.second = hidden(nn.Conv2d(48, 48, 3, padding=1, groups=3), rng)
        self.third = hidden(nn.Conv2d(48, 16, 1), rng)
        self.head = fill(nn.Conv2d(16, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return self.head(torch.relu(self.third(x)))


class Flattened(nn.Module):
    """A run of columns for each channel, and means of channels."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.conv = hidden(nn.Conv3d(2, 16, 3, padding=1), rng)
        self.linear = hidden(nn.Linear(16 * 2 * 3 * 4, 32), rng)
        self.head = fill(nn.Linear(32, 3), "dense", rng)
        self.other = fill(nn.Linear(16, 3), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x))
        y = torch.tanh(self.linear(x.flatten(1)))
        return self.head(y) + self.other(x.mean([2, 3, 4]))


class Tokens(nn.Module):
    """A transformer's feed-forward layers, with features last and an activation between."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.up = hidden(nn.Linear(8, 32), rng)
        self.down = fill(nn.Linear(32, 8), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(nn.functional.gelu(self.up(x)))


class Resampled(nn.Module):
    """Resizing, padding, a transposition, norms over pixels, halves that gate each other."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.left = hidden(nn.Conv2d(4, 16, 3, padding=1), rng)
        self.right = fill(nn.Conv2d(4, 16, 3, padding=1), "dense", rng)
        self.second = hidden(nn.Conv2d(16, 24, 3), rng)
        self.norm = nn.InstanceNorm2d(24)
        self.head = fill(nn.Conv2d(24, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.left(x), self.right(x)], dim=1)
        left, right = joined.chunk(2, dim=1)
        gated = nn.functional.pad(left * torch.sigmoid(right), (1, 0, 0, 2))
        large = nn.functional.interpolate(gated, (17, 23), mode="bilinear")
        return self.head(self.norm(self.second(large.transpose(2, 3))))


class Halved(nn.Module):
    """Halves of one layer's channels: another order would mix them."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.conv = hidden(nn.Conv2d(4, 16, 3, padding=1), rng)
        self.head = fill(nn.Conv2d(8, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.conv(x).chunk(2, dim=1)
        return self.head(first * torch.sigmoid(second))


class Refused(nn.Module):
    """Channels that something else reads by their numbers."""

    def __init__(self, rng: Generator) -> None:
        super().__init__()
        self.conv = hidden(nn.Conv2d(4, 16, 3, padding=1), rng)
        self.shuffle = nn.PixelShuffle(2)
        self.head = fill(nn.Conv2d(4, 3, 1), "dense", rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.shuffle(torch.relu(self.conv(x))))


NETWORKS = {
    Residual: ((2, 4, 9, 11), {"stem", "first", "second"}),
    Dense: ((1, 4, 9, 11), {"first", "second"}),
    Mobile: ((2, 4, 9, 11), {"expand", "squeeze"}),
    Grouped: ((2, 4, 5, 7), {"first", "second", "third"}),
    Flattened: ((2, 2, 2, 3, 4), {"conv", "linear"}),
    Tokens: ((2, 5, 8), {"up"}),
    Resampled: ((1, 4, 9, 11), {"left", "second"}),
    Halved: ((1, 4, 9, 11), set()),
    Refused: ((1, 4, 9, 11), set()),
}


def test_networks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases = [
        Case(kind.__name__, kind(rng), (tensor(rng, *shape),))
        for kind, (shape, _) in NETWORKS.items()
    ]
    compiled = check(cases, tmp_path)
    found: list[set[str]] = [set() for _ in cases]
    for remark in compiled.bundle.manifest.remarks:
        if remark.reason.startswith("filters sorted"):
            _, number, name = remark.layer.split(".")
            found[int(number)].add(name)
    assert found == [reordered for _, reordered in NETWORKS.values()]


class Headed(nn.Module):
    """A network with layers behind its results, which can absorb any order of their channels."""

    def __init__(self, case: Case, rng: Generator) -> None:
        super().__init__()
        self.model = case.model
        self.heads = nn.ModuleList(head(result, rng) for result in case.model(*case.inputs))

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        results = self.model(*inputs)
        return tuple(layer(result) for layer, result in zip(self.heads, results, strict=True))


def head(result: torch.Tensor, rng: Generator) -> nn.Module:
    """A dense layer that reads `result`, if it has channels."""
    if result.ndim == 1:
        return nn.Identity()
    if result.ndim == 2:
        return fill(nn.Linear(result.shape[1], 3), "dense", rng)
    kinds = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}
    return fill(kinds[result.ndim](result.shape[1], 3, 1), "dense", rng)


def test_any_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever order a layer is given where it can have another, the results are the same."""
    rng = np.random.default_rng(0)
    moved: list[int] = []

    def any_order(channels: Channels, layers: reorder_kernels.Layers) -> Order:
        parts = np.arange(channels.size).reshape(channels.segments, -1)
        return rng.permuted(parts, axis=1).ravel()

    def objection(channels: Channels, *_: object) -> str:
        moved.append(0 if channels.fixed else channels.size)
        return channels.fixed

    monkeypatch.setattr(reorder_kernels, "best_order", any_order)
    monkeypatch.setattr(reorder_kernels, "objection", objection)
    monkeypatch.setattr(reorder_kernels.Layers, "is_improvable", lambda *_: True)
    graphs = [random_graph(5, number) for number in range(24)]
    check([replace(case, model=Headed(case, rng)) for case in graphs], tmp_path)
    assert sum(size > 1 for size in moved) > 15


def test_hidden_blocks_are_detected(tmp_path: Path) -> None:
    """What had no scheme in the given order is block-punched in the one found."""
    rng = np.random.default_rng(0)
    cases = []
    for convolution in CONVOLUTIONS:
        layer = hidden(convolution(16, 64, 3, padding=1), rng)
        model = nn.Sequential(layer, nn.ReLU(), fill(convolution(64, 3, 1), "dense", rng))
        spatial = (5,) * (layer.weight.ndim - 2)
        cases.append(Case(convolution.__name__, model, (tensor(rng, 1, 16, *spatial),)))
    compiled = check(cases, tmp_path)
    schemes = [layer.scheme for layer in compiled.bundle.manifest.layers]
    assert schemes == ["block_punched(8x1)", "dense"] * len(CONVOLUTIONS)

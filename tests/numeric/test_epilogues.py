"""Whatever follows a layer element by element, fused into it or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from .cases import Case, check
from .random_layers import fill, tensor

Tail = Callable[[torch.Tensor], torch.Tensor]


class After(nn.Module):
    """A layer, and a function of its result."""

    def __init__(
        self, layer: nn.Module, tail: Callable[..., torch.Tensor], arguments: int = 1
    ) -> None:
        super().__init__()
        self.layer, self.tail, self.arguments = layer, tail, arguments

    def forward(self, x: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        return self.tail(self.layer(x), *more)


RNG = np.random.default_rng(5)
SCALE, SHIFT = (tensor(RNG, 7, 1, 1) for _ in range(2))
PLANE, WHOLE = tensor(RNG, 9, 11), tensor(RNG, 2, 7, 9, 11)
SLOPES = tensor(RNG, 7)

TAILS: dict[str, Tail] = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "hardtanh": lambda x: F.hardtanh(x, -0.3, 0.7),
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "leaky relu 0.01": F.leaky_relu,
    "leaky relu 0.2": lambda x: F.leaky_relu(x, 0.2),
    "prelu of one": lambda x: F.prelu(x, torch.tensor([0.3])),
    "prelu of each": lambda x: F.prelu(x, SLOPES),
    "elu": F.elu,
    "selu": F.selu,
    "softplus": F.softplus,
    "mish": F.mish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softsign": F.softsign,
    "threshold": lambda x: F.threshold(x, 0.1, -3.0),
    "clamp": lambda x: x.clamp(-0.5, 0.5),
    "clamp below": lambda x: x.clamp(min=0.25),
    "exp": torch.exp,
    "absolute": torch.abs,
    "square": lambda x: x * x,
    "cube": lambda x: x**3,
    "root": lambda x: torch.sqrt(x.abs() + 0.1),
    "reciprocal": lambda x: 1 / (x.abs() + 0.5),
    "logarithm": lambda x: torch.log1p(x.abs()),
    "cosine": torch.cos,
    "sign": torch.sign,
    "floor": lambda x: torch.floor(3 * x),
    "round": lambda x: torch.round(3 * x),
    "where": lambda x: torch.where(x > 0.2, x, -2 * x),
    "equal": lambda x: torch.where((x > 0) & (x < 0.5), x + 1, x),
    "scale per filter": lambda x: x * SCALE + SHIFT,
    "shift then relu, scale": lambda x: torch.relu(x + SHIFT) * SCALE,
    "half a scale": lambda x: x * 0.5 - 3,
    "plane": lambda x: x + PLANE,
    "whole constant": lambda x: torch.relu(x * WHOLE) - WHOLE,
    "twice": lambda x: x + torch.relu(x),
    "centred": lambda x: x - x.mean((2, 3), keepdim=True),
    "softmax": lambda x: torch.softmax(x, dim=1),
    "layer norm": lambda x: F.layer_norm(x, [9, 11]),
    "group norm": lambda x: F.group_norm(x, 7),
    "minimum of two": lambda x: torch.minimum(x, x.flip(1)),
    "half and back": lambda x: x.half().float(),
    "integer and back": lambda x: (x * 4).long().float(),
}

# What is computed before the tail; all give 2 x 7 x 9 x 11.
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: fill(
        nn.Conv2d(4, 7, 3, padding=1), "unstructured", np.random.default_rng(1)
    ),
    "depthwise": lambda: fill(
        nn.Conv2d(7, 7, 3, padding=1, groups=7), "dense", np.random.default_rng(2)
    ),
    "average pool": lambda: nn.AvgPool2d(3, 1, 1),
    "maximum pool": lambda: nn.MaxPool2d(3, 1, 1),
}
INPUT_CHANNELS = {"convolution": 4}


@pytest.mark.parametrize("name", LAYERS)
def test_elementwise_tails(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    every = (
        TAILS if name == "convolution" else dict(list(TAILS.items())[:: 3 if "pool" in name else 2])
    )
    x = tensor(rng, 2, INPUT_CHANNELS.get(name, 7), 9, 11)
    check(
        [Case(f"{name}, {tail}", After(LAYERS[name](), every[tail]), (x,)) for tail in every],
        tmp_path,
    )


def test_tails_of_linear_layers(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    scale = tensor(rng, 19)
    tails: dict[str, Tail] = {
        "gelu": F.gelu,
        "relu6": F.relu6,
        "scale per filter": lambda x: x * scale - 1,
        "softmax": lambda x: torch.softmax(x, dim=1),
        "layer norm": lambda x: F.layer_norm(x, [19]),
        "other row": lambda x: x + x.flip(0),
        "log softmax": lambda x: F.log_softmax(torch.relu(x), dim=-1),
    }
    check(
        [
            Case(f"linear of {rows} rows, {name}", After(layer, tail), (tensor(rng, rows, 33),))
            for rows in (1, 3)
            for name, tail in tails.items()
            for layer in [fill(nn.Linear(33, 19), "blocks of 4", rng)]
        ],
        tmp_path,
    )


def test_tails_of_linear_layers_on_images(tmp_path: Path) -> None:
    """Inputs of more dimensions are rows for a layer, and what follows it works on those."""
    rng = np.random.default_rng(9)
    scale, tokens, images = tensor(rng, 6), tensor(rng, 5, 6), tensor(rng, 3, 1, 6)
    tails: dict[str, Callable[..., torch.Tensor]] = {
        "gelu": lambda y, r: F.gelu(y),
        "silu": lambda y, r: F.silu(y),
        "residual": lambda y, r: torch.relu(r + y),
        "residual twice": lambda y, r: torch.relu(y + r) * r + y,
        "scale per filter": lambda y, r: F.gelu(y * scale) - r,
        "one value for each token": lambda y, r: torch.relu(y) + tokens,
        "one row for each image": lambda y, r: y * images,
        "one row": lambda y, r: y + tokens[:1],
        "one value for each row": lambda y, r: y * r[..., :1],
        "heads": lambda y, r: torch.relu(y.reshape(3, 5, 2, 3) * scale[:3]) + 1,
        "heads transposed": lambda y, r: (0.5 * y.reshape(3, 5, 2, 3)).transpose(1, 2),
        "norm": lambda y, r: F.layer_norm(y + r, [6]),
        "images swapped": lambda y, r: y + F.gelu(y).flip(0),
        "the layer as well": lambda y, r: torch.cat([y, torch.relu(y)]),
        "comparison": lambda y, r: torch.where(y > r, y, r * 2),
    }
    cases = []
    for name, tail in tails.items():
        layer = fill(nn.Linear(7, 6, bias=name != "silu"), "blocks of 2", rng)
        cases.append(
            Case(
                name, After(layer, tail, arguments=2), (tensor(rng, 3, 5, 7), tensor(rng, 3, 5, 6))
            )
        )
    check(cases, tmp_path)


JOINS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "residual": lambda y, r: y + r,
    "residual then relu": lambda y, r: torch.relu(y + r),
    "relu then residual": lambda y, r: torch.relu(y) + r,
    "scaled residual": lambda y, r: torch.add(r, y, alpha=0.3),
    "difference": lambda y, r: r - y,
    "quotient": lambda y, r: y / (r.abs() + 1),
    "product": lambda y, r: y * torch.sigmoid(r),
    "maximum": lambda y, r: torch.maximum(y, r),
    "residual twice": lambda y, r: torch.relu(y + r) + r,
    "residual of one channel": lambda y, r: y + r[:, :1],
    "residual of one image": lambda y, r: y + r[:1],
    "residual of one row": lambda y, r: y * r[:, :, :1],
    "gate of each channel": lambda y, r: y * r.mean((2, 3), keepdim=True),
    "transposed residual": lambda y, r: y + r.flip(1),
    "concatenation": lambda y, r: torch.cat([torch.relu(y), r, y], dim=1),
    "comparison": lambda y, r: torch.where(y > r, y, r * 2),
    "slice": lambda y, r: y[:, 2:, 1:, 3:] * r[:, 2:, 1:, 3:],
    "unused": lambda y, r: torch.relu(y) + 0 * r,
}


def test_two_operands(tmp_path: Path) -> None:
    """The second operand is an input; then it is computed by another layer."""
    rng = np.random.default_rng(6)
    cases = []
    for name, join in JOINS.items():
        x, r = tensor(rng, 2, 4, 9, 11), tensor(rng, 2, 7, 9, 11)
        layer = fill(nn.Conv2d(4, 7, 3, padding=1), "blocks of 2", rng)
        cases.append(Case(f"{name} with an input", After(layer, join), (x, r)))
        cases.append(Case(f"{name} with a layer", TwoLayers(layer, join), (x,)))
    check(cases, tmp_path)


class TwoLayers(nn.Module):
    """A function of two layers' results, whose second one other code reads as well."""

    def __init__(self, layer: nn.Module, join: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        rng = np.random.default_rng(7)
        self.first, self.join = layer, join
        self.second = fill(nn.Conv2d(4, 7, (1, 5), padding=(0, 2)), "channel", rng)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        other = self.second(x)
        return self.join(self.first(x), other), other


def test_functions_of_short_vectors(tmp_path: Path) -> None:
    """Rows of linear layers whose blocks fill no register are finished several at a time."""
    rng, cases = np.random.default_rng(7), []
    for filters in (4, 8, 12):
        for rows in (3, 13):
            layer = fill(nn.Linear(20, 24), "dense", rng).requires_grad_(False)
            for first in range(0, 24, filters):
                layer.weight[first : first + filters, rng.permutation(20)[:15]] = 0
            x, gate = tensor(rng, rows, 20), tensor(rng, rows, 24)
            name = f"blocks of {filters} filters, {rows} rows"
            model = After(layer, lambda y, gate: F.gelu(y) * gate, 2)
            cases.append(Case(name, model.eval(), (x, gate)))
    check(cases, tmp_path)

"""Layers for the kernel with rows in lanes: remainders of rows, inputs and filters, and tails."""

from __future__ import annotations

import numpy as np
import torch
from chosen import Layers
from torch import nn

from niwaki.dialects import RowGemmAttr
from niwaki.passes.choice import Choice
from niwaki.passes.kernels.row_sizes import FEW

from .cases import Case
from .random_layers import fill, tensor


def by_rows(layers: Layers) -> list[Choice]:
    """The fastest candidate of the family where it has one, else of all."""
    chosen = []
    for _, found in layers:
        own = [one for one in found if isinstance(one.kernel, RowGemmAttr)]
        chosen.append(Choice(min(own or found, key=lambda one: one.seconds)))
    return chosen


def in_parts(layers: Layers) -> list[Choice]:
    """The candidate of the family that has blocks of few filters, and the fewest of a workgroup."""
    chosen = []
    for _, found in layers:
        tiles = [one for one in found if isinstance(one.kernel, RowGemmAttr)]
        low = [one for one in tiles if one.kernel.tile.filters < FEW]
        chosen.append(Choice(min(low, key=lambda one: one.kernel.tile.blocks)))
    return chosen


class Residual(nn.Module):
    """A layer, a long tail, and a shortcut."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.gelu = layer, nn.GELU()

    def forward(self, x: torch.Tensor, shortcut: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.gelu(self.layer(x)) + shortcut
        return result


def rows_of_few_filters() -> list[Case]:
    """Layers whose blocks have fewer filters than a vector has lanes, and that fill several."""
    rng = np.random.default_rng(17)
    sizes = {
        "unstructured": (37, 24, 75),
        "blocks of 2": (20, 16, 130),
        "blocks of 4": (16, 33, 96),
    }
    cases = []
    for scheme, (rows, inputs, filters) in sizes.items():
        layer = fill(nn.Linear(inputs, filters), scheme, rng)
        inside = tensor(rng, rows, inputs), tensor(rng, rows, filters)
        cases.append(Case(scheme, Residual(layer), inside))
    return cases


def odd_rows() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(16)

    def linear(inputs: int, filters: int, scheme: str) -> nn.Module:
        return fill(nn.Linear(inputs, filters), scheme, rng)

    # Rows, inputs, filters, scheme.
    sizes = {
        "whole vectors": (32, 32, 16, "dense"),
        "a row more": (17, 16, 24, "blocks of 8"),
        "a vector and a half": (24, 19, 30, "blocks of 2"),
        "several groups": (53, 33, 50, "blocks of 4"),
        "lower blocks": (41, 17, 13, "dense"),
        "single filters": (19, 40, 7, "unstructured"),
        "one filter": (35, 20, 1, "dense"),
        "no weights": (20, 18, 9, "all zero"),
        "many filters": (16, 16, 129, "blocks of 8"),
    }
    cases = [
        Case(
            name,
            nn.Sequential(linear(inputs, filters, scheme), nn.ReLU()),
            (tensor(rng, rows, inputs),),
        )
        for name, (rows, inputs, filters, scheme) in sizes.items()
    ]
    for name, (rows, inputs, filters, scheme) in sizes.items():
        layer, x = linear(inputs, filters, scheme), tensor(rng, rows, inputs)
        cases.append(Case(f"{name}, residual", Residual(layer), (x, tensor(rng, rows, filters))))
    return cases


def odd_pairs() -> list[Case]:
    """Pairs of layers, which have panels between them."""
    rng = np.random.default_rng(17)
    # Rows, inputs, filters between the layers, scheme of both, tail between them.
    sizes = {
        "whole vectors": (32, 32, 16, "dense", nn.ReLU()),
        "a row more": (17, 16, 56, "blocks of 8", nn.GELU()),
        "a vector and a half": (24, 19, 30, "blocks of 2", nn.ReLU()),
        "several groups": (53, 33, 50, "blocks of 4", nn.SiLU()),
        "lower blocks": (41, 17, 29, "dense", nn.GELU()),
        "single filters": (19, 40, 70, "unstructured", nn.ReLU()),
    }
    cases = []
    for name, (rows, inputs, between, scheme, tail) in sizes.items():
        first = fill(nn.Linear(inputs, between), scheme, rng)
        second = fill(nn.Linear(between, 21), scheme, rng)
        pair = nn.Sequential(first, tail, second, nn.Hardtanh())
        cases.append(Case(f"{name}, pair", pair, (tensor(rng, rows, inputs),)))
    return cases

"""Layers for the kernel with filters in lanes: remainders of rows, and of parts of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from chosen import Layers
from torch import nn

from niwaki.dialects import LaneGemmAttr
from niwaki.passes.choice import Choice

from .cases import Case
from .random_layers import fill, tensor


def by_lane(layers: Layers) -> list[Choice]:
    """The fastest candidate of the family where it has one, else of all."""
    chosen = []
    for _, found in layers:
        own = [one for one in found if isinstance(one.kernel, LaneGemmAttr)]
        chosen.append(Choice(min(own or found, key=lambda one: one.seconds)))
    return chosen


def most_rows(layers: Layers) -> list[Choice]:
    """As `by_lane`, with as many rows in a tile as there can be."""
    chosen = []
    for _, found in layers:
        own = [one for one in found if isinstance(one.kernel, LaneGemmAttr)]
        chosen.append(Choice(max(own, key=lambda one: one.kernel.tile[1]) if own else found[0]))
    return chosen


def odd_lanes() -> list[Case]:
    """The same ones in every test; filters are whole vectors of f16, too."""
    rng = np.random.default_rng(15)

    def conv(*arguments: Any, scheme: str = "blocks of 8", **options: Any) -> nn.Module:
        return fill(nn.Conv2d(*arguments, **options), scheme, rng)

    networks: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
        "rows of 1": (conv(5, 8, 3, padding=1), (2, 5, 5, 1)),
        "rows of 2": (conv(5, 16, 3, padding=1), (1, 5, 5, 2)),
        "rows of 3": (conv(5, 24, 3, padding=1), (1, 5, 8, 3)),
        "rows of 7": (conv(5, 16, 3, padding=1), (2, 5, 7, 7)),
        "rows of 9, without halo": (conv(5, 16, 1), (1, 5, 3, 9)),
        "rows of 14": (conv(5, 8, 3, padding=1), (1, 5, 14, 14)),
        "rows in parts": (conv(5, 16, 3, padding=1), (1, 5, 4, 37)),
        "wide halo": (conv(5, 8, 5, padding=4), (1, 5, 6, 5)),
        "lower blocks": (conv(5, 24, 3, padding=1, scheme="dense"), (1, 5, 7, 6)),
        "stride 2": (conv(5, 8, 3, stride=2, padding=1), (1, 5, 9, 15)),
        "dilated groups": (conv(6, 32, 3, padding=2, dilation=2, groups=2), (1, 6, 7, 7)),
        "no weights": (conv(5, 8, 3, padding=1, scheme="all zero"), (1, 5, 7, 7)),
        "shortcut": (
            Shortcut(conv(5, 8, 3, padding=1), conv(8, 8, 3, padding=1), torch.relu),
            (1, 5, 7, 7),
        ),
        "long epilogue": (
            Shortcut(conv(5, 8, 3, padding=1), conv(8, 8, 3, padding=1), nn.SiLU()),
            (1, 5, 7, 11),
        ),
        "no bias": (nn.Sequential(conv(5, 8, 3, padding=1, bias=False), nn.ReLU6()), (1, 5, 6, 7)),
        "many columns": (conv(150, 8, 3, padding=1, scheme="dense"), (1, 150, 3, 7)),
    }
    return [Case(name, model, (tensor(rng, *shape),)) for name, (model, shape) in networks.items()]


class Shortcut(nn.Module):
    """A residual sum, which may take the shortcut's memory."""

    def __init__(
        self,
        first: nn.Module,
        second: nn.Module,
        activation: Callable[[torch.Tensor], torch.Tensor],
    ) -> None:
        super().__init__()
        self.first, self.second, self.activation = first, second, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = torch.relu(self.first(x))
        return self.activation(self.second(shortcut) + shortcut)

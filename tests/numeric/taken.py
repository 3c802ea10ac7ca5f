"""Borders that repeat an image's own values, and whole factors: remainders of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .cases import Case
from .normalizations import norm_of_planes
from .random_layers import CONVOLUTIONS, tensor


class Padded(nn.Module):
    """Padding by values of its own, before and after being resized, around convolutions."""

    def __init__(self, rank: int, mode: str, sides: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.mode, self.sides = mode, sides * rank
        self.before = CONVOLUTIONS[rank - 1](3, 5, 3, padding=1)
        self.after = CONVOLUTIONS[rank - 1](5, 4, 3, stride=stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.pad(self.before(x), self.sides, self.mode)
        doubled = functional.interpolate(y, scale_factor=2)
        result: torch.Tensor = self.after(functional.pad(doubled, self.sides, self.mode))
        return result


class Styled(nn.Module):
    """A norm and an activation, of which the next convolution reads a border or twice the size."""

    def __init__(self, rank: int, groups: int, mode: str, stride: int) -> None:
        super().__init__()
        rng = np.random.default_rng(rank)
        self.mode, self.sides = mode, (1, 2) * rank
        self.before = CONVOLUTIONS[rank - 1](3, 4, 3, padding=1)
        self.norm = norm_of_planes(rank, 4, groups, rng)
        self.after = CONVOLUTIONS[rank - 1](4, 5, 3, stride=stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.before(x)))
        if self.mode == "double":
            y = functional.interpolate(y, scale_factor=2)
        else:
            y = functional.pad(y, self.sides, self.mode)
        result: torch.Tensor = self.after(y)
        return result


def styled() -> list[Case]:
    """Norms that write what is taken of them."""
    rng = np.random.default_rng(31)
    torch.manual_seed(31)
    shapes = [(2, 3, 21), (1, 3, 5, 9), (2, 3, 18, 4), (1, 3, 3, 4, 5)]
    modes = ("reflect", "double", "circular", "replicate")
    return [
        Case(
            f"{mode} behind {groups} groups of {shape}",
            Styled(len(shape) - 2, groups, mode, stride=1 + (number + place) % 2),
            (tensor(rng, *shape),),
        )
        for number, shape in enumerate(shapes)
        for place, (mode, groups) in enumerate(zip(modes, (0, 1, 2, 0), strict=True))
    ]


def odd_takes() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(29)
    torch.manual_seed(29)
    sides: dict[str, tuple[int, int]] = {"reflect": (2, 1), "replicate": (0, 7), "circular": (3, 0)}
    shapes = [(2, 3, 67), (1, 3, 5, 4), (2, 3, 4, 37), (1, 3, 3, 4, 5)]
    around = [
        Case(
            f"{mode} around {shape}",
            Padded(len(shape) - 2, mode, own, stride=1 + number % 2),
            (tensor(rng, *shape),),
        )
        for number, shape in enumerate(shapes)
        for mode, own in sides.items()
    ]
    alone: list[tuple[nn.Module, tuple[int, ...]]] = [
        (nn.ReflectionPad2d((-1, 20, 3, -2)), (1, 2, 5, 33)),
        (nn.ReplicationPad1d((40, 1)), (2, 3, 1)),
        (nn.CircularPad2d(2), (1, 1, 2, 2)),
        (nn.Upsample(scale_factor=(1, 3)), (2, 2, 3, 19)),
        (nn.Upsample(scale_factor=5), (1, 2, 70)),
    ]
    named: list[Any] = [(f"{module} of {shape}", module, shape) for module, shape in alone]
    return [*around, *(Case(name, module, (tensor(rng, *shape),)) for name, module, shape in named)]

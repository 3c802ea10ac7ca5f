"""Borders that repeat an image's own values, and whole factors: remainders of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .cases import Case
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

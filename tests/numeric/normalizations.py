"""Norms and softmax of all kinds: remainders of channels and pixels, and what follows them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .cases import Case
from .random_layers import CONVOLUTIONS, tensor


class Normalized(nn.Module):
    """A norm of a kind, with scale and bias, an activation behind it, and perhaps a shortcut."""

    def __init__(self, kind: str, shape: tuple[int, ...], shortcut: bool) -> None:
        super().__init__()
        self.kind, self.shape, self.shortcut = kind, shape, shortcut
        generator = torch.Generator().manual_seed(sum(shape))
        self.scale, self.bias = torch.randn(2, *shape, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "softmax":
            return x.softmax(-1) * 3
        if self.kind == "rms":
            result = functional.rms_norm(x, self.shape, self.scale, 1e-6)
        else:
            result = functional.layer_norm(x, self.shape, self.scale, self.bias)
        result = functional.gelu(result)
        return result + x if self.shortcut else result


def odd_normalizations() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(17)
    shapes: dict[tuple[int, ...], tuple[int, ...]] = {
        (5, 1): (1,),
        (3, 7): (7,),
        (2, 3, 16): (16,),
        (9, 37): (37,),
        (1, 200): (200,),
        (3, 131): (131,),
        (2, 4, 3, 5): (3, 5),
        (11,): (11,),
    }
    return [
        Case(
            f"{kind} of {normal} of {shape}",
            Normalized(kind, normal, shortcut=bool(number % 2)),
            (tensor(rng, *shape),),
        )
        for number, (shape, normal) in enumerate(shapes.items())
        for kind in ("layer", "rms", "softmax")
    ]


NORMS: tuple[Any, ...] = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


def norm_of_planes(
    rank: int, channels: int, groups: int, rng: np.random.Generator, affine: bool = True
) -> nn.Module:
    """A group norm, or an instance norm where `groups` is 0."""
    norm: Any
    if groups:
        norm = nn.GroupNorm(groups, channels, affine=affine)
    else:
        norm = NORMS[rank - 1](channels, affine=affine)
    if affine:
        with torch.no_grad():
            norm.weight.copy_(tensor(rng, channels))
            norm.bias.copy_(tensor(rng, channels))
    result: nn.Module = norm
    return result


class BetweenConvolutions(nn.Module):
    """A norm whose planes two convolutions give a halo, with an activation and a shortcut."""

    def __init__(self, rank: int, norm: nn.Module, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.before, self.after = (
            CONVOLUTIONS[rank - 1](channels, channels, 3, padding=1) for _ in range(2)
        )
        self.norm, self.shortcut = norm, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.before(x))
        y = functional.gelu(y + x if self.shortcut else y)
        result: torch.Tensor = self.after(y)
        return result


def odd_planes() -> list[Case]:
    """Norms of groups of planes between convolutions, and alone."""
    rng = np.random.default_rng(23)
    torch.manual_seed(23)
    shapes = [(2, 6, 5), (1, 4, 67), (3, 6, 7, 9), (1, 8, 1, 1), (2, 4, 18, 3), (1, 4, 3, 5, 6)]
    between = [
        Case(
            f"{groups} groups of {shape}",
            BetweenConvolutions(
                len(shape) - 2,
                norm_of_planes(len(shape) - 2, shape[1], groups, rng, affine=number % 3 > 0),
                shape[1],
                shortcut=bool(number % 2),
            ),
            (tensor(rng, *shape),),
        )
        for number, shape in enumerate(shapes)
        for groups in (1, 2, *[0] * (math.prod(shape[2:]) > 1))
    ]
    alone: list[tuple[nn.Module, tuple[int, ...]]] = [
        (norm_of_planes(2, 6, 3, rng), (2, 6, 4, 5)),
        (nn.Sequential(norm_of_planes(1, 5, 0, rng), nn.ReLU()), (3, 5, 33)),
        (norm_of_planes(0, 6, 2, rng), (4, 6)),
        (norm_of_planes(4, 4, 2, rng), (1, 4, 2, 3, 2, 3)),
    ]
    return [
        *between,
        *(Case(f"{norm} of {shape}", norm, (tensor(rng, *shape),)) for norm, shape in alone),
    ]

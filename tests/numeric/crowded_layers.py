"""Layers that read more than a GPU's shader has buffers for."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import nn
from torch.nn import functional

from .cases import Case
from .random_layers import fill, tensor


def crowded_layers() -> list[Case]:
    """Several residuals, bounds per filter that are computed, parts of concatenations, masks."""
    rng = np.random.default_rng(5)
    x = functools.partial(tensor, rng)
    conv = fill(nn.Conv2d(4, 9, 3, padding=1), "blocks of 4", rng)
    deep = fill(nn.Conv2d(6, 6, 3, padding=1, groups=6), "dense", rng)
    linear = fill(nn.Linear(7, 10), "unstructured", rng)
    image, like = x(1, 4, 6, 7), (x(1, 9, 6, 7), x(1, 9, 6, 7))
    return [
        Case("residuals", Function(residuals, layer=conv), (image, *like)),
        Case("of rows", Function(residuals, layer=linear), (x(3, 7), x(3, 10), x(3, 10))),
        Case(
            "of a channel", Function(residuals, layer=deep), (x(2, 6, 5, 5), *(x(2, 6, 5, 5),) * 2)
        ),
        Case("computed", Function(computed, layer=conv), (image, x(9), x(9))),
        Case(
            "pool",
            Function(pooled, scale=x(1, 4, 1, 1), shift=x(1, 4, 1, 1)),
            (image, x(1, 4, 6, 7)),
        ),
        Case("parts", Function(parts, one=conv, other=conv), (image, like[0])),
        Case(
            "mask", Function(masked), (x(1, 3, 5, 8), x(1, 3, 7, 8), x(1, 3, 7, 5), x(1, 1, 5, 7))
        ),
        Case("mask and packed", Function(packed, layer=linear_of(rng)), (x(2, 5, 9), x(5, 5))),
    ]


def linear_of(rng: np.random.Generator) -> nn.Module:
    """Queries, keys and values of three heads of 3."""
    return fill(nn.Linear(9, 27), "dense", rng)


def residuals(self: Any, x: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> Any:
    """Two of them, each read twice."""
    return torch.relu(self.layer(x) + first) * second + first * second


def computed(self: Any, x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> Any:
    """Both are computed, so no weights' array has them."""
    scaled = self.layer(x) * scale.sin().view(1, -1, 1, 1)
    return torch.relu(scaled + shift.cos().view(1, -1, 1, 1))


def pooled(self: Any, x: torch.Tensor, other: torch.Tensor) -> Any:
    """A pooling with two numbers per channel and a residual."""
    return functional.max_pool2d(x, 3, 1, 1) * self.scale + self.shift + other


def parts(self: Any, x: torch.Tensor, residual: torch.Tensor) -> Any:
    """A layer with a residual, and one without, in places of a concatenation."""
    summed = torch.relu(self.one(x) + residual)
    return torch.cat([summed, functional.avg_pool2d(x, 3, 1, 1), self.other(x)], 1)


def masked(self: Any, query: torch.Tensor, key: torch.Tensor, *rest: torch.Tensor) -> Any:
    """Keys and values apart."""
    value, mask = rest
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def packed(self: Any, x: torch.Tensor, mask: torch.Tensor) -> Any:
    """Queries, keys and values in one tensor."""
    parts = self.layer(x).view(*x.shape[:2], 3, 3, 3).permute(2, 0, 3, 1, 4)
    query, key, value = parts
    made = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return made.transpose(1, 2).flatten(2)

"""Norms over computed statistics, in float32 and as exact at large means as PyTorch's.

d = x - mean(x)
c = d - mean(d)                the mean of many numbers is not exact: what it lacks
y = c * rsqrt(mean(c^2) + eps) * weight + bias
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._ops import OpOverload

aten = torch.ops.aten

Three = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def layer_norm(
    x: torch.Tensor,
    shape: Sequence[int],
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    eps: float,
) -> Three:
    """Over the last dimensions, which `shape` has."""
    axes = list(range(x.dim() - len(shape), x.dim()))
    normal, mean, scale = _normalised(x, axes, eps)
    return _affine(normal, weight, bias).to(x.dtype), mean, scale


def group_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    batch: int,
    channels: int,
    pixels: int,
    groups: int,
    eps: float,
) -> Three:
    """Over the pixels and channels of a group."""
    grouped = x.reshape(batch, groups, channels // groups * pixels)
    normal, mean, scale = _normalised(grouped, [2], eps)
    result = _affine_by_channel(normal.reshape(x.shape), weight, bias).to(x.dtype)
    return result, mean.flatten(1), scale.flatten(1)


def batch_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Three:
    """Over batch and pixels, without running statistics: of instance norm, too."""
    normal, mean, scale = _normalised(x, [0, *range(2, x.dim())], eps)
    result = _affine_by_channel(normal, weight, bias).to(x.dtype)
    return result, mean.flatten(), scale.flatten()


def rms_norm(
    x: torch.Tensor,
    shape: Sequence[int],
    weight: torch.Tensor | None = None,
    eps: float | None = None,
) -> torch.Tensor:
    """Without `eps` PyTorch adds that of float32, for float16 as well; torch-mlir adds nothing."""
    wide = x.float()
    axes = list(range(x.dim() - len(shape), x.dim()))
    added = torch.finfo(torch.float32).eps if eps is None else eps
    normal = wide * torch.rsqrt((wide * wide).mean(axes, keepdim=True) + added)
    return _affine(normal, weight, None).to(x.dtype)


def var_mean(
    x: torch.Tensor,
    dim: list[int] | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """torch-mlir's rule computes in float64, which phones' GPUs lack."""
    axes = dim or list(range(x.dim()))
    count = math.prod(x.shape[axis] for axis in axes)
    centred, mean = _centred(x.float(), axes)
    total = (centred * centred).sum(axes, keepdim)
    variance = total / max(count - (1 if correction is None else correction), 0)
    if not keepdim:
        mean = mean.sum(axes)  # of one number each
    return variance.to(x.dtype), mean.to(x.dtype)


def _normalised(x: torch.Tensor, axes: list[int], eps: float) -> Three:
    """In float32: `x` of mean 0 and variance 1, and what it was and is multiplied by."""
    centred, mean = _centred(x.float(), axes)
    scale = torch.rsqrt((centred * centred).mean(axes, keepdim=True) + eps)
    return centred * scale, mean, scale


def _centred(x: torch.Tensor, axes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """`x` less its mean, and the mean."""
    mean = x.mean(axes, keepdim=True)
    centred = x - mean
    rest = centred.mean(axes, keepdim=True)
    return centred - rest, mean + rest


def _affine_by_channel(
    x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None
) -> torch.Tensor:
    shape = [-1] + [1] * (x.dim() - 2)
    along = [None if value is None else value.view(shape) for value in (weight, bias)]
    return _affine(x, *along)


def _affine(
    x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None
) -> torch.Tensor:
    y = x if weight is None else x * weight.float()
    return y if bias is None else y + bias.float()


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten._native_batch_norm_legit.no_stats: batch_norm,
    aten.native_group_norm.default: group_norm,
    aten.native_layer_norm.default: layer_norm,
    aten.rms_norm.default: rms_norm,
    aten.var.correction: lambda *args, **kwargs: var_mean(*args, **kwargs)[0],
    aten.var_mean.correction: var_mean,
}

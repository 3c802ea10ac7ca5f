"""Norms over computed statistics, in float32 and as exact at large means as PyTorch's.

Those over the last dimensions, and softmax over the last one, become an op of ours:

y = niwaki::normalize(x, weight, bias, '{"kind": "layer", "epsilon": 1e-05}')

so do those of groups of channels over all pixels:

y = niwaki::normalize_planes(x, weight, bias, '{"groups": 4, "epsilon": 1e-05}')

and the others become elementwise ops and means:

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

from niwaki.frontend.torch_own_ops import define, own_op

aten = torch.ops.aten

define("normalize", 3, lambda _, x, *__: [x])
define("normalize_planes", 3, lambda _, x, *__: [x])

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
    normal, mean, scale = _normalised(x, axes, eps)  # nobody reads the statistics when inferring
    result = _own("layer", x, [weight, bias], eps, len(shape))
    if result is None:
        result = _affine(normal, weight, bias)
    return result.to(x.dtype), mean, scale


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
    result = _of_planes(x, weight, bias, groups, eps)
    if result is None:
        result = _affine_by_channel(normal.reshape(x.shape), weight, bias).to(x.dtype)
    return result, mean.flatten(1), scale.flatten(1)


def instance_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    mean: torch.Tensor | None,
    variance: torch.Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn: bool,
) -> Any:
    """Over the pixels of a channel. PyTorch's rule makes one image of all, and repeats weights."""
    own = _of_planes(x, weight, bias, x.shape[1], eps) if use_input_stats else None
    return NotImplemented if own is None else own


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
    added = torch.finfo(torch.float32).eps if eps is None else eps
    if (own := _own("rms", x, [weight, None], added, len(shape))) is not None:
        return own.to(x.dtype)
    wide = x.float()
    axes = list(range(x.dim() - len(shape), x.dim()))
    normal = wide * torch.rsqrt((wide * wide).mean(axes, keepdim=True) + added)
    return _affine(normal, weight, None).to(x.dtype)


def softmax(x: torch.Tensor, dim: int, half_to_float: bool) -> Any:
    """Over the last dimension; others stay as they are."""
    if x.dtype != torch.float32 or x.dim() == 0 or dim % x.dim() != x.dim() - 1:
        return NotImplemented
    own = _own("softmax", x, [None, None], 0.0, 1)
    return NotImplemented if own is None else own


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


def _own(
    kind: str,
    x: torch.Tensor,
    affine: Sequence[torch.Tensor | None],
    eps: float,
    dims: int,
) -> torch.Tensor | None:
    """In float32 by an op of ours, over the last `dims` dimensions; None of nothing."""
    if x.numel() == 0 or dims == 0:
        return None
    rows = x.float().reshape(*x.shape[: x.dim() - dims], -1)
    values = [None if value is None else value.float().reshape(-1) for value in affine]
    result = own_op("normalize", [rows, *values], {"kind": kind, "epsilon": eps})
    assert isinstance(result, torch.Tensor)
    return result.reshape(x.shape)


def _of_planes(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    groups: int,
    eps: float,
) -> torch.Tensor | None:
    """In float32 by an op of ours, whose planes have one to three dimensions; None of nothing."""
    if x.numel() == 0:
        return None
    planes = x.float() if 3 <= x.dim() <= 5 else x.float().reshape(*x.shape[:2], -1)
    values = [None if value is None else value.float() for value in (weight, bias)]
    options = {"groups": groups, "epsilon": eps}
    result = own_op("normalize_planes", [planes, *values], options)
    assert isinstance(result, torch.Tensor)
    return result.reshape(x.shape).to(x.dtype)


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
    aten.instance_norm.default: instance_norm,
    aten.native_layer_norm.default: layer_norm,
    aten.rms_norm.default: rms_norm,
    aten._softmax.default: softmax,
    aten.var.correction: lambda *args, **kwargs: var_mean(*args, **kwargs)[0],
    aten.var_mean.correction: var_mean,
}

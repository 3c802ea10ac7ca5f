"""Ops that write into places of a tensor which its shape alone tells, as scatters.

fill_diagonal_(x, 1)           PyTorch makes as_strided_scatter(x, ones, ...) of it
diagonal_scatter(x, y)   -->   scatter(x, where the diagonal lies, y)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten


def as_strided_scatter(
    x: Tensor, source: Tensor, size: Sequence[int], stride: Sequence[int], offset: int | None = None
) -> Any:
    """Strides are those of memory, which is known where the tensor lies in order."""
    if not x.is_contiguous():
        return NotImplemented  # leaves the op as it is
    return _written(x, source, _places(x).as_strided(size, stride, offset or 0))


def diagonal_scatter(
    x: Tensor, source: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    return _written(x, source, _places(x).diagonal(offset, dim1, dim2))


def _places(x: Tensor) -> Tensor:
    """For each element its place in the order in which elements lie."""
    return torch.arange(math.prod(x.shape)).reshape(x.shape)


def _written(x: Tensor, source: Tensor, places: Tensor) -> Tensor:
    flat = x.reshape(-1).scatter(0, places.reshape(-1), source.reshape(-1))
    return flat.reshape(x.shape)


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.as_strided_scatter.default: as_strided_scatter,
    aten.diagonal_scatter.default: diagonal_scatter,
}

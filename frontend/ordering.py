"""Ops that order values, by the sort that torch-mlir has.

kthvalue(x, k)   -->   sort(x), its element k      torch-mlir's own code is refused by IREE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._ops import OpOverload

aten = torch.ops.aten

Pair = tuple[torch.Tensor, torch.Tensor]


def sort_stable(
    x: torch.Tensor, *, stable: bool | None = None, dim: int = -1, descending: bool = False
) -> Pair:
    """IREE's sort keeps the order of equal values in any case."""
    return torch.sort(x, dim, descending)


def kthvalue(x: torch.Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Pair:
    values, places = torch.sort(x, dim)
    found = [found.narrow(dim, k - 1, 1) for found in (values, places)]
    first, second = found if keepdim else [each.squeeze(dim) for each in found]
    return first, second


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.kthvalue.default: kthvalue,
    aten.sort.stable: sort_stable,
}

"""Which ops are rewritten into others before torch-mlir sees them, and how."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch._ops import OpOverload
from torch_mlir.extras.fx_decomp_util import get_decomposition_table

from niwaki.frontend import (
    adaptive_pooling,
    attention,
    elementwise,
    half_precision,
    integer_powers,
    integers,
    nearest_resizing,
    norms,
    ordering,
    recurrent_layers,
    torch_padding,
    written_places,
)

aten = torch.ops.aten

# Kept whole: batch-norm is folded later, and torch-mlir takes addmm as it is.
_KEEP = (aten._native_batch_norm_legit_no_training.default, aten.addmm.default)


def decomposition_table() -> dict[OpOverload, Callable[..., Any]]:
    """torch-mlir's own table, with our changes."""
    table = {op: rule for op, rule in get_decomposition_table().items() if op not in _KEEP}
    parts = (
        adaptive_pooling, attention, elementwise, integer_powers, integers, nearest_resizing, norms,
        ordering, recurrent_layers, torch_padding, written_places,
    )  # fmt: skip
    for part in parts:
        table |= part.RULES
    table |= {
        aten.linear.default: linear,
        aten.hardtanh.default: hardtanh,
        aten.gelu.default: gelu,
        aten.constant_pad_nd.default: constant_pad_nd,
    }
    return table | half_precision.widened(table)


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> Any:
    """All rows as one matrix. PyTorch's rule repeats the weights where `x` is not contiguous."""
    if weight.dim() == 1:
        y = torch.matmul(x, weight)
        return y if bias is None else y + bias
    matrix = x if x.dim() == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y = matrix @ weight.t() if bias is None else torch.addmm(bias, matrix, weight.t())
    return y if x.dim() == 2 else y.reshape(*x.shape[:-1], weight.shape[0])


def hardtanh(x: torch.Tensor, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """ReLU6 too. torch-mlir lowers clamp to one operation, and hardtanh to two."""
    return torch.clamp(x, low, high)


def gelu(x: torch.Tensor, approximate: str = "none") -> Any:
    """torch-mlir's rule for the tanh form has sqrt(2 / pi) right to four digits only (0.797724).

    The other one divides by sqrt(2), which costs a fifth of a GELU; half * (1 + odd) costs as much
    more than half * odd + half, a multiply-add.
    """
    half = 0.5 * x
    if approximate != "tanh":
        odd = torch.erf(math.sqrt(0.5) * x)
    else:
        odd = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))
    return half * odd + half


def constant_pad_nd(x: torch.Tensor, pad: list[int], value: float = 0) -> Any:
    """Negative padding crops. torch-mlir makes it a `tensor.pad`, which IREE refuses."""
    if min(pad, default=0) >= 0:
        return NotImplemented  # leaves the op as it is
    for number, (before, after) in enumerate(zip(pad[::2], pad[1::2], strict=True)):
        dim = x.dim() - 1 - number
        x = x.narrow(dim, max(-before, 0), x.shape[dim] + min(before, 0) + min(after, 0))
    return aten.constant_pad_nd(x, [max(side, 0) for side in pad], value)

"""PyTorch's paddings by a tensor's own values and `roll`, as slices that are joined.

torch-mlir makes lookups of single elements of them, or forgets the sizes of the slices. Padding of
planes is an op of ours (`taken.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._ops import OpOverload

from niwaki.frontend.stretches import Mode, Positions, is_slice, padded, stretches
from niwaki.frontend.take_op import SPATIAL
from niwaki.frontend.taken import take

aten = torch.ops.aten

MODES: dict[str, Mode] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(
    x: Tensor, sides: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """`sides` lists before and after of the last dimension, then of the one before it."""
    if mode == "constant":
        return aten.constant_pad_nd(x, sides, value or 0)
    pairs = list(zip(sides[::2], sides[1::2], strict=True))
    if (taken := _of_planes(x, pairs, MODES[mode])) is not None:
        return taken
    # The last dimension first: rows are small before they repeat.
    for dim, (before, after) in zip(range(x.dim() - 1, -1, -1), pairs, strict=False):
        if before or after:
            x = _select(x, dim, padded(x.shape[dim], before, after, MODES[mode]))
    return x


def _of_planes(x: Tensor, pairs: Sequence[tuple[int, int]], mode: Mode) -> Tensor | None:
    """Of all dimensions behind the channels, or fewer; None of others."""
    sizes = x.shape[SPATIAL:]
    outer = [(0, 0)] * (len(sizes) - len(pairs))
    sides = [*outer, *reversed(pairs)]
    if len(sides) != len(sizes):
        return None
    return take(x, [padded(n, *side, mode).tolist() for n, side in zip(sizes, sides, strict=True)])


def roll(x: Tensor, shifts: Sequence[int], dims: Sequence[int] = ()) -> Tensor:
    """Without `dims`, all elements in the order in which they lie."""
    if not dims:
        return roll(x.reshape(-1), shifts, [0]).reshape(x.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        if x.shape[dim] and shift % x.shape[dim]:
            x = _select(x, dim, np.roll(np.arange(x.shape[dim]), shift))
    return x


def _select(x: Tensor, dim: int, positions: Positions) -> Tensor:
    parts = [_take(x, dim, part) for part in stretches(positions)]
    return torch.cat(parts, dim) if len(parts) > 1 else parts[0]


def _take(x: Tensor, dim: int, positions: Positions) -> Tensor:
    """One stretch: a slice, or neighbours that all lie one position back, or all the same one."""
    first, count = int(positions[0]), len(positions)
    if is_slice(positions):
        return x.narrow(dim, first, count)
    step = int(positions[1]) - first
    return x.index_select(dim, first + step * torch.arange(count))


def _fixed(mode: str) -> Callable[[Tensor, Sequence[int]], Tensor]:
    return lambda x, sides: pad(x, sides, mode)


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.pad.default: pad,
    aten.roll.default: roll,
    aten.reflection_pad1d.default: _fixed("reflect"),
    aten.reflection_pad2d.default: _fixed("reflect"),
    aten.reflection_pad3d.default: _fixed("reflect"),
    aten.replication_pad1d.default: _fixed("replicate"),
    aten.replication_pad2d.default: _fixed("replicate"),
    aten.replication_pad3d.default: _fixed("replicate"),
}

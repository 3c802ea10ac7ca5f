"""Resizing to the nearest pixel: an op of ours where each pixel comes as often as the others.

    upsample_nearest2d(x, scale 2)    -->    niwaki::take(x, rows and columns 0 0 1 1 2 2 ...)
                                             reshape(expand(x[:, :, :, None, :, None]))  other types

torch-mlir looks each pixel up, which takes IREE several times as long as copying rows, and ignores
scales that give no whole size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch._ops import OpOverload

from niwaki.frontend.taken import take

aten = torch.ops.aten

Rule = Callable[..., Any]


def _rule(by_size: OpOverload) -> Rule:
    """For an op that is given sizes or scales; `by_size` is given sizes, and scales besides."""
    lookup = decomposition_table[by_size]

    def rule(x: Tensor, size: Sequence[int] | None, scales: Sequence[float] | None) -> Tensor:
        before = x.shape[2:]
        if size is None:
            assert scales is not None
            size = [int(length * scale) for length, scale in zip(before, scales, strict=True)]
        used: list[float | None] = [*scales] if scales else [None] * len(size)
        if by_size is aten.upsample_nearest2d.default:
            for dim, (length, after) in enumerate(zip(before, size, strict=True)):
                if after in (length, 2 * length):
                    used[dim] = None  # PyTorch has code of its own for these, without a scale
        steps = [
            scale or after / length for length, after, scale in zip(before, size, used, strict=True)
        ]
        if all(step >= 1 and step == int(step) for step in steps):
            factors = list(map(int, steps))
            rows = [
                np.repeat(np.arange(n), times) for n, times in zip(before, factors, strict=True)
            ]
            taken = take(x, [numbers.tolist() for numbers in rows])
            return _repeated(x, factors) if taken is None else taken
        return lookup(x, size, *used)

    return rule


def _repeated(x: Tensor, factors: Sequence[int]) -> Tensor:
    apart, wide, result = list(x.shape[:2]), list(x.shape[:2]), list(x.shape[:2])
    for length, factor in zip(x.shape[2:], factors, strict=True):
        apart += [length, 1]
        wide += [length, factor]
        result.append(length * factor)
    return x.reshape(apart).expand(wide).reshape(result)


RULES: dict[OpOverload, Rule] = {
    aten._upsample_nearest_exact1d.vec: _rule(aten._upsample_nearest_exact1d.default),
    aten._upsample_nearest_exact2d.vec: _rule(aten._upsample_nearest_exact2d.default),
    aten._upsample_nearest_exact3d.vec: _rule(aten._upsample_nearest_exact3d.default),
    aten.upsample_nearest1d.vec: _rule(aten.upsample_nearest1d.default),
    aten.upsample_nearest2d.vec: _rule(aten.upsample_nearest2d.default),
    aten.upsample_nearest3d.vec: _rule(aten.upsample_nearest3d.default),
}

"""Vectors shorter than a register side by side in one: what costs much is computed once for all.

[a0 a1] [b0 b1] [c0 c1] [d0 d1]  -- joined -->  [a0 a1 b0 b1 c0 c1 d0 d1]  -- parted -->  as before
"""

from __future__ import annotations

from collections.abc import Sequence

import torch_mlir.ir as ir
from torch_mlir.dialects import vector

from .lanes import lane_slice
from .vectors import lane_type


def joined(parts: Sequence[ir.Value]) -> ir.Value:
    """One vector of all `parts`, which are equally long and as many as a power of two."""
    if len(parts) > 1 and not isinstance(parts[0].type, ir.VectorType):
        return vector.from_elements(lane_type(parts[0].type, len(parts)), parts)
    while len(parts) > 1:
        lanes = 2 * parts[0].type.shape[0]
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [vector.shuffle(a, b, [*range(lanes)]) for a, b in pairs]
    return parts[0]


def parted(whole: ir.Value, count: int, width: int) -> list[ir.Value]:
    """The inverse of `joined`: so many vectors of a width."""
    return [lane_slice(whole, part * width, width) for part in range(count)]

"""Reshapes around a layer: seen through where there are any, made where there are none.

A reshape keeps the order of elements, so any chain of them can be entered at any step. How many of
them there are depends on the neighbours: torch-mlir folds the one after a layer into the one before
the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

Reassociation = Sequence[Sequence[int]]

NAMES = ("tensor.expand_shape", "tensor.collapse_shape")


def seen_with_shape(value: Any, shape: Sequence[int]) -> Any | None:
    """`value`, or what it was reshaped from, where that has `shape`; None where nothing has."""
    while ir.RankedTensorType(value.type).shape != list(shape):
        if isinstance(value.owner, ir.Block) or value.owner.operation.name not in NAMES:
            return None
        value = value.owner.operands[0]
    return value


def collapsed(value: Any, joined: Reassociation) -> Any:
    """`value` with dimensions joined, by a new op where nothing else has that shape."""
    result = joined_type(value, joined)
    if (seen := seen_with_shape(value, result.shape)) is not None:
        return seen
    return tensor.CollapseShapeOp(result, value, _attribute(joined)).result


def joined_type(value: Any, joined: Reassociation) -> ir.RankedTensorType:
    """The type of `value` with dimensions joined."""
    kind = ir.RankedTensorType(value.type)
    shape = [math.prod(kind.shape[i] for i in group) for group in joined]
    return ir.RankedTensorType.get(shape, kind.element_type)


def replace_by_expanded(old: Any, new: Any, split: Reassociation) -> None:
    """Let users of `old` read `new`, which is the same with dimensions joined.

    Users that join them again read `new` itself.
    """
    for owner in [use.owner for use in old.uses]:
        if owner.operation.name in NAMES and owner.results[0].type == new.type:
            owner.results[0].replace_all_uses_with(new)
    shape = ir.RankedTensorType(old.type).shape
    expand = tensor.ExpandShapeOp(old.type, new, _attribute(split), [], shape)
    old.replace_all_uses_with(expand.result)


def _attribute(groups: Reassociation) -> ir.ArrayAttr:
    i64 = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get(
        [ir.ArrayAttr.get([ir.IntegerAttr.get(i64, i) for i in group]) for group in groups]
    )

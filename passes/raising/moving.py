"""Reshapes between any shapes, and transposes where they are needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import linalg, tensor

from niwaki.dialects import ints

from .reshapes import NAMES, seen_with_shape


def reshaped(value: ir.Value, shape: Sequence[int]) -> ir.Value:
    """`value` with as many elements in another shape."""
    if (seen := seen_with_shape(value, shape)) is not None:
        made: ir.Value = seen
        return made
    kind = ir.RankedTensorType(value.type)
    result = ir.RankedTensorType.get(shape, kind.element_type)
    if (groups := _groups(shape, kind.shape)) is not None:
        return tensor.ExpandShapeOp(result, value, groups, [], shape).result
    if (groups := _groups(kind.shape, shape)) is not None:
        return tensor.CollapseShapeOp(result, value, groups).result
    flat = ir.RankedTensorType.get([math.prod(kind.shape)], kind.element_type)
    everything = [list(range(kind.rank))]
    return reshaped(tensor.CollapseShapeOp(flat, value, everything).result, shape)


def transposed(value: ir.Value, permutation: Sequence[int]) -> ir.Value:
    """Dimension i is dimension `permutation[i]` of `value`."""
    if list(permutation) == sorted(permutation):
        return value
    kind = ir.RankedTensorType(value.type)
    init = tensor.EmptyOp([kind.shape[d] for d in permutation], kind.element_type).result
    moved = ir.Operation.create(
        "linalg.transpose",
        operands=[value, init],
        results=[init.type],
        attributes={"permutation": ir.DenseI64ArrayAttr.get(np.asarray(permutation, np.int64))},
        regions=1,
    )
    block = moved.regions[0].blocks.append(kind.element_type, kind.element_type)
    with ir.InsertionPoint(block):
        linalg.YieldOp([block.arguments[0]])
    return moved.result


def is_reshape(op: Any) -> bool:
    """Whether an op leaves elements in their order, as a transpose of dimensions of size 1 does."""
    if op.operation.name in NAMES:
        return True
    if op.operation.name != "linalg.transpose":
        return False
    shape = ir.RankedTensorType(op.operands[0].type).shape
    longer = [d for d in ints(op.attributes["permutation"]) if shape[d] > 1]
    return longer == sorted(longer)


def origin(value: Any) -> Any:
    """What `value` was reshaped from, all the way."""
    while not isinstance(value.owner, ir.Block) and is_reshape(value.owner.operation.opview):
        value = value.owner.operands[0]
    return value


def _groups(fine: Sequence[int], coarse: Sequence[int]) -> list[list[int]] | None:
    """Which dimensions of `fine` make each one of `coarse`; None where they do not."""
    groups: list[list[int]] = []
    place = 0
    for size in coarse:
        end = place + 1
        while end < len(fine) and math.prod(fine[place:end]) < size:
            end += 1
        if math.prod(fine[place:end]) != size or place >= len(fine):
            return None
        groups.append(list(range(place, end)))
        place = end
    if not groups or math.prod(fine[place:]) != 1:
        return None
    groups[-1] += range(place, len(fine))
    return groups

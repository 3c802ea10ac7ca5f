"""What several passes ask of an elementwise op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg, tensor

from niwaki.dialects import is_available

from .raising.maps import accumulator, is_identity, iterators_of, maps_of


def is_elementwise(op: Any) -> bool:
    """Whether an op is a `linalg.generic` without reductions, of scalar code that may be copied."""
    if op.operation.name != "linalg.generic" or len(op.results) != 1:
        return False
    if not isinstance(op.results[0].type, ir.RankedTensorType):
        return False
    body = op.regions[0].blocks[0]
    *scalar, _ = inner = list(body.operations)
    return (
        set(iterators_of(op)) <= {"parallel"}
        and all(len(s.results) == 1 and not len(s.operation.regions) for s in scalar)
        and all(is_available(value, body) for s in inner for value in s.operands)
    )


def writes_each_once(op: Any) -> bool:
    """Whether an elementwise op's loops are its result's positions, and it starts from nothing."""
    body = op.regions[0].blocks[0]
    return is_identity(maps_of(op)[-1]) and not any(True for _ in accumulator(body).uses)


def mapped(value: ir.Value, element: ir.Type, function: Callable[[ir.Value], ir.Value]) -> ir.Value:
    """A tensor of what `function` makes of each element, at the current insertion point."""
    kind = ir.RankedTensorType(value.type)
    identity = ir.AffineMapAttr.get(ir.AffineMap.get_identity(kind.rank))
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    made = linalg.GenericOp(
        [ir.RankedTensorType.get(kind.shape, element)],
        [value],
        [tensor.EmptyOp(kind.shape, element).result],
        ir.ArrayAttr.get([identity] * 2),
        ir.ArrayAttr.get([parallel] * kind.rank),
    )
    block = made.regions[0].blocks.append(kind.element_type, element)
    with ir.InsertionPoint(block):
        linalg.YieldOp([function(block.arguments[0])])
    return made.results[0]

"""Move the reshape behind a linear layer below the elementwise ops that follow it.

    %y = "sparse_pattern.linear"(%rows, %w)                     tensor<256x512xf32>
    %t = tensor.expand_shape %y [[0, 1], [2]]                   tensor<2x128x512xf32>
    %z = linalg.generic ins(%t, %x) { t + x }
      -->
    %r = tensor.collapse_shape %x [[0, 1], [2]]
    %s = linalg.generic ins(%y, %r) { y + r }                   tensor<256x512xf32>
    %z = tensor.expand_shape %s [[0, 1], [2]]

A linear layer computes rows, whatever dimensions its input has, so a reshape stands between it and
an activation or a residual add. Below them it is no longer in the way of fuse-epilogues. So is a
transpose that moves nothing but dimensions of size 1, as attention over a batch of 1 has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg, tensor

from niwaki.dialects import LinearOp, NormalizeOp, ProductOp

from .base import ModulePass, Session, erase_unused, function_ops
from .elementwise import is_elementwise, writes_each_once
from .layers import clone_body
from .raising.maps import is_identity, maps_of, positions
from .raising.moving import is_reshape, origin, reshaped
from .raising.operands import producer
from .raising.reshapes import Reassociation, collapsed, joined_type, replace_by_expanded


@dataclass(frozen=True)
class SinkReshapesPass(ModulePass):
    """Let elementwise ops behind a linear layer work on its rows."""

    name: ClassVar[str] = "sparse-pattern-sink-reshapes"

    def run(self, module: Any, session: Session) -> None:
        rows: set[ir.Value] = set()  # results of layers, and of what follows them on rows
        for op in function_ops(module):
            if isinstance(op, (LinearOp, NormalizeOp, ProductOp)):
                rows.add(op.results[0])
            elif is_elementwise(op) and writes_each_once(op):
                follower = op.results[0] if _reads_any(op, rows) else _sink_reshape_above(op, rows)
                if follower is not None:
                    rows.add(follower)
        erase_unused(module)


def _reads_any(op: Any, values: set[ir.Value]) -> bool:
    """Whether an elementwise op reads one of `values` at its own position."""
    *inputs, _ = zip(op.operands, maps_of(op), strict=True)
    return any(value in values and is_identity(affine_map) for value, affine_map in inputs)


def _sink_reshape_above(op: Any, rows: set[ir.Value]) -> ir.Value | None:
    """Let `op` work on rows if it reads some in another shape; returns its result on rows."""
    # Loop indices are of the shape that there was.
    if any(inner.operation.name == "linalg.index" for inner in op.regions[0].blocks[0].operations):
        return None
    *inputs, _ = zip(op.operands, maps_of(op), strict=True)
    for value, affine_map in inputs:
        expand = _expanded(value, rows) if is_identity(affine_map) else None
        if expand is None or expand.operation.block != op.operation.block:
            continue
        if _only_elementwise_readers(expand.result):
            split = expand.attributes["reassociation"]
            return _on_rows(op, [[int(i.value) for i in group] for group in split])
    return None


def _expanded(value: Any, rows: set[ir.Value]) -> Any | None:
    """The op that splits dimensions of `rows`, and gives `value`; None where another one does."""
    transpose = producer(value, "linalg.transpose")
    if transpose is not None and is_reshape(transpose) and (source := origin(value)) in rows:
        with ir.InsertionPoint(transpose), transpose.location:
            value = reshaped(source, ir.RankedTensorType(value.type).shape)
        transpose.results[0].replace_all_uses_with(value)
    expand = producer(value, "tensor.expand_shape")
    return expand if expand is not None and expand.operands[0] in rows else None


def _only_elementwise_readers(value: ir.Value) -> bool:
    """With others the tail cannot be fused into the layer: its result is needed as it is."""
    return all(is_elementwise(use.owner.opview) for use in value.uses)


def _on_rows(op: Any, groups: Reassociation) -> ir.Value | None:
    """Replace `op` by one on joined dimensions; None where an operand has no place among them."""
    *inputs, _ = zip(op.operands, maps_of(op), strict=True)
    joined_maps = [_joined_map(value, affine_map, groups) for value, affine_map in inputs]
    if any(joined is None for joined in joined_maps):
        return None
    result = joined_type(op.results[0], groups)
    identity = ir.AffineMap.get_identity(result.rank)
    with ir.InsertionPoint(op), op.location:
        operands = [
            collapsed(value, groups) if is_identity(affine_map) else value
            for value, affine_map in inputs
        ]
        sunk = linalg.GenericOp(
            [result],
            operands,
            [tensor.EmptyOp(result.shape, result.element_type).result],
            ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in (*joined_maps, identity)]),
            ir.ArrayAttr.get(list(op.attributes["iterator_types"])[: result.rank]),
        )
        types = [ir.RankedTensorType(value.type).element_type for value in sunk.operands]
        block = sunk.regions[0].blocks.append(*types)
        with ir.InsertionPoint(block):
            linalg.YieldOp([clone_body(op.regions[0].blocks[0], list(block.arguments))])
        replace_by_expanded(op.results[0], sunk.results[0], groups)
    op.operation.erase()
    return sunk.results[0]


def _joined_map(value: Any, affine_map: Any, groups: Reassociation) -> ir.AffineMap | None:
    """How the op on joined dimensions reads an operand.

    It may have all positions, one value for each filter, or one value.
    """
    if is_identity(affine_map):
        return ir.AffineMap.get_identity(len(groups))
    try:
        loops = positions(affine_map)
    except ValueError:
        return None
    last = groups[-1][0] if len(groups[-1]) == 1 else None
    expressions: list[ir.AffineExpr] = []
    for loop, size in zip(loops, ir.RankedTensorType(value.type).shape, strict=True):
        if size == 1:
            expressions.append(ir.AffineExpr.get_constant(0))
        elif loop == last is not None:
            expressions.append(ir.AffineExpr.get_dim(len(groups) - 1))
        else:
            return None
    return ir.AffineMap.get(len(groups), 0, expressions)

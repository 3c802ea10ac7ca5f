"""Make one op of elementwise ops that follow one another.

    %s = linalg.generic ins(%x) { sigmoid(x) }
    %y = linalg.generic ins(%x, %s) { x * s }
      -->
    %y = linalg.generic ins(%x) { x * sigmoid(x) }

An activation in several steps that reads a layer's result twice becomes one op, which
fuse-epilogues can move. Nothing is fused into what reduces, as MLIR's own fusion does: that moves
softmax's division into the product of matrices behind it, which IREE then does not recognise as one
and computes element by element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg

from .base import ModulePass, Session, erase_unused, function_ops
from .elementwise import is_elementwise, writes_each_once
from .layers import clone_body
from .raising.maps import accumulator, is_identity, maps_of


@dataclass(frozen=True)
class FuseElementwisePass(ModulePass):
    """Fuse every elementwise op with the one that all its readers become, at its own position."""

    name: ClassVar[str] = "sparse-pattern-fuse-elementwise"

    def run(self, module: Any, session: Session) -> None:
        ops = [op for op in function_ops(module) if is_elementwise(op)]
        ends: dict[ir.Value, Any] = {}
        for op in reversed(ops):
            if (end := _common_end(op, ends)) is not None:
                ends[op.results[0]] = end
        for op in ops:
            if op.results[0] not in ends and any(value in ends for value in op.operands):
                _fuse(op, set(ends))
        erase_unused(module)


def _common_end(op: Any, ends: Mapping[ir.Value, Any]) -> Any | None:
    """The op that all readers of a result become, by `ends` of their own; None if there is none.

    They are elementwise, and at each position need just it: anything else would compute values more
    often than before.
    """
    result, found = op.results[0], None
    if not writes_each_once(op):
        return None
    for use in result.uses:
        reader = use.owner.opview
        if reader.operation.block != op.operation.block or not is_elementwise(reader):
            return None
        *inputs, start = zip(reader.operands, maps_of(reader), strict=True)
        if start[0] == result or not all(is_identity(m) for value, m in inputs if value == result):
            return None
        end = ends.get(reader.results[0], reader)
        if found is not None and end != found:
            return None
        found = end
    return found


def _fuse(op: Any, inner: set[ir.Value]) -> None:
    """Replace `op` by one that computes the ops of `inner` before it as well."""
    inputs = _inputs(op, inner)
    start, output = op.operands[len(op.operands) - 1], maps_of(op)[-1]
    with ir.InsertionPoint(op), op.location:
        fused = linalg.GenericOp(
            [op.results[0].type],
            [value for value, _ in inputs],
            [start],
            ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in (*(m for _, m in inputs), output)]),
            op.attributes["iterator_types"],
        )
        types = [ir.RankedTensorType(value.type).element_type for value in fused.operands]
        block = fused.regions[0].blocks.append(*types)
        scalars = dict(zip(inputs, block.arguments, strict=False))
        with ir.InsertionPoint(block):
            linalg.YieldOp([_compute(op, inner, scalars, accumulator(block))])
    op.results[0].replace_all_uses_with(fused.results[0])
    op.operation.erase()


def _inputs(op: Any, inner: set[ir.Value]) -> list[tuple[ir.Value, ir.AffineMap]]:
    """What `op` and the ops of `inner` before it read; they all run through the same positions."""
    found: dict[tuple[ir.Value, ir.AffineMap], None] = {}
    left, seen = [op], set()
    while left:
        one = left.pop(0)
        for value, affine_map in zip(list(one.operands)[:-1], maps_of(one), strict=False):
            if value not in inner:
                found[value, affine_map] = None
            elif value not in seen:
                seen.add(value)
                left.append(value.owner.opview)
    return list(found)


def _compute(
    op: Any, inner: set[ir.Value], scalars: dict[Any, ir.Value], start: ir.Value | None = None
) -> ir.Value:
    """Copy the scalar code of `op`, after that of the ops of `inner` that it reads."""
    arguments: list[Any] = []
    for value, affine_map in zip(list(op.operands)[:-1], maps_of(op), strict=False):
        if value in inner:
            computed = scalars.get(value)
            if computed is None:
                computed = scalars[value] = _compute(value.owner.opview, inner, scalars)
            arguments.append(computed)
        else:
            arguments.append(scalars[value, affine_map])
    return clone_body(op.regions[0].blocks[0], [*arguments, start])

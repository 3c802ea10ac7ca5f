"""Turn strided slices into loops, one element at a time.

    %y = tensor.extract_slice %x[0, 1] [4, 3] [1, 2]
      -->
    %y = linalg.generic ins(%x) outs(%empty)    (i, j) reads (i, j * 2 + 1)

IREE 3.13 fails where an op behind a strided slice reads it in vectors. Loops it takes apart like
any others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg, tensor

from niwaki.dialects import ints

from .base import ModulePass, Session, function_ops


@dataclass(frozen=True)
class LowerSlicesPass(ModulePass):
    """Loops for slices that leave out elements between those they take."""

    name: ClassVar[str] = "sparse-pattern-lower-slices"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if _is_strided(op):
                with ir.InsertionPoint(op), op.location:
                    op.result.replace_all_uses_with(_loops(op))
                op.operation.erase()


def _is_strided(op: Any) -> bool:
    """Whether an op is a slice with strides, known and of the rank of what it cuts."""
    if op.operation.name != "tensor.extract_slice" or len(op.operands) != 1:
        return False
    source, result = (ir.RankedTensorType(v.type) for v in (op.operands[0], op.result))
    strided = any(
        stride > 1 and size > 1
        for stride, size in zip(ints(op.attributes["static_strides"]), result.shape, strict=False)
    )
    return strided and source.rank == result.rank and source.has_static_shape


def _loops(op: Any) -> ir.Value:
    kind = ir.RankedTensorType(op.result.type)
    offsets, strides = (ints(op.attributes[f"static_{name}"]) for name in ("offsets", "strides"))
    places = [
        ir.AffineDimExpr.get(axis) * stride + offset
        for axis, (stride, offset) in enumerate(zip(strides, offsets, strict=True))
    ]
    maps = [ir.AffineMap.get(kind.rank, 0, places), ir.AffineMap.get_identity(kind.rank)]
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    copy = linalg.GenericOp(
        [kind],
        [op.operands[0]],
        [tensor.EmptyOp(kind.shape, kind.element_type).result],
        ir.ArrayAttr.get([ir.AffineMapAttr.get(each) for each in maps]),
        ir.ArrayAttr.get([parallel] * kind.rank),
    )
    block = copy.regions[0].blocks.append(*[kind.element_type] * 2)
    with ir.InsertionPoint(block):
        linalg.YieldOp([block.arguments[0]])
    return copy.results[0]

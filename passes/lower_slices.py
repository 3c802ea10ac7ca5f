"""Turn strided slices into loops, one element at a time.

    %y = tensor.extract_slice %x[0, 1] [4, 3] [1, 2]
      -->
    %y = linalg.generic outs(%empty) { tensor.extract %x[i, j * 2 + 1] }

IREE 3.13 fails where an op behind a strided slice reads it in vectors, and where a loop's input map
has the strides. It never fuses what looks up elements with what computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg, tensor

from niwaki.dialects import ints

from .base import ModulePass, Session, function_ops
from .kernels.indices import Index


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
    source, kind = op.operands[0], ir.RankedTensorType(op.result.type)
    offsets, strides = (ints(op.attributes[f"static_{name}"]) for name in ("offsets", "strides"))
    same = ir.AffineMapAttr.get(ir.AffineMap.get_identity(kind.rank))
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    copy = linalg.GenericOp(
        [kind],
        [],
        [tensor.EmptyOp(kind.shape, kind.element_type).result],
        ir.ArrayAttr.get([same]),
        ir.ArrayAttr.get([parallel] * kind.rank),
    )
    block = copy.regions[0].blocks.append(kind.element_type)
    with ir.InsertionPoint(block):
        places = [
            (Index(linalg.IndexOp(axis).result) * stride + offset).value
            for axis, (stride, offset) in enumerate(zip(strides, offsets, strict=True))
        ]
        linalg.YieldOp([tensor.ExtractOp(source, places).result])
    return copy.results[0]

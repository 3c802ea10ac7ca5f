"""Make numbers of masks of attentions that say yes or no: kernels add them to scores.

    %y = "sparse_pattern.attention"(%q, %k, %v, %mask)          tensor<1x1x128x128xi1>
      -->
    %added = linalg.generic ins(%mask) { select %mask, 0, -inf }
    %y = "sparse_pattern.attention"(%q, %k, %v, %added)         tensor<1x1x128x128xf16>

In f16 on CPUs; shaders would need a feature of the device for it. What computes the mask is fused
with it, and attentions with one mask share it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import AttentionOp

from .base import ModulePass, Session, function_ops, target_of
from .elementwise import mapped


@dataclass(frozen=True)
class AddMasksPass(ModulePass):
    """0 for keys that are seen, -inf for those that are forbidden."""

    name: ClassVar[str] = "sparse-pattern-add-masks"

    def run(self, module: Any, session: Session) -> None:
        half = target_of(module).backend == "cpu"
        for op in function_ops(module):
            if isinstance(op, AttentionOp) and len(op.masks) and is_bits(op.masks[0]):
                with ir.InsertionPoint(op), op.location:
                    element: ir.Type = ir.F16Type.get() if half else ir.F32Type.get()
                    op.operation.operands[3] = added(op.masks[0], element)


def is_bits(mask: ir.Value) -> bool:
    """Whether a mask says yes or no."""
    return str(ir.RankedTensorType(mask.type).element_type) == "i1"


def added(mask: ir.Value, element: ir.Type) -> ir.Value:
    """A mask of bits as what is added to scores."""

    def number(seen: ir.Value) -> ir.Value:
        zero, lowest = (
            arith.constant(element, ir.FloatAttr.get(element, number))
            for number in (0.0, -math.inf)
        )
        return arith.select(seen, zero, lowest)

    return mapped(mask, element, number)

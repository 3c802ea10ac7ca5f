"""Products of two matrices that are both computed, as an op that has a kernel.

    %y = linalg.batch_matmul ins(%a, %b) outs(%zero) : 4x17x64 by 4x64x20
      -->
    %rows = "sparse_pattern.product"(%a, %b) : tensor<68x20xf32>
    %y = tensor.expand_shape %rows : 4x17x20

What they are transposed or cut from is read where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import build_product

from .base import ModulePass, Session, dense_value, erase_unused, function_ops, target_of
from .raising.building import add_all
from .raising.maps import is_repetition, maps_of, positions
from .raising.moving import reshaped
from .raising.operands import Start, accumulation_start
from .raising.products import PLAIN
from .views import MOVES


@dataclass(frozen=True)
class RaiseProductsPass(ModulePass):
    """Products without weights, on CPUs."""

    name: ClassVar[str] = "sparse-pattern-raise-products"

    def run(self, module: Any, session: Session) -> None:
        if target_of(module).backend != "cpu":
            return
        for op in function_ops(module):
            if op.operation.name in PLAIN and may_be_raised(op):
                with ir.InsertionPoint(op), op.location:
                    raise_product(op)
        erase_unused(module)


def may_be_raised(op: Any) -> bool:
    """Whether a product is a plain one of f32 whose second matrix is computed."""
    values = [*op.operands, op.results[0]]
    kinds = [ir.RankedTensorType(value.type) for value in values]
    known = all(kind.has_static_shape and 0 not in kind.shape for kind in kinds)
    single = all(isinstance(kind.element_type, ir.F32Type) for kind in kinds)
    if not known or not single or is_constant(op.operands[1]):
        return False
    return list(map(positions, maps_of(op))) == PLAIN[op.operation.name]


def is_constant(value: Any) -> bool:
    """Whether a matrix is moved or repeated weights."""
    while not isinstance(value.owner, ir.Block):
        if dense_value(value) is not None:
            return True
        owner = value.owner.opview
        if owner.operation.name not in MOVES and not is_repetition(owner):
            return False
        value = owner.operands[0]
    return False


def raise_product(op: Any) -> None:
    """Replace a product."""
    left, right, init = op.operands
    shape = ir.RankedTensorType(op.results[0].type).shape
    first, second = (
        reshaped(value, [1, *ir.RankedTensorType(value.type).shape]) if len(shape) == 2 else value
        for value in (left, right)
    )
    batch, rows, _ = ir.RankedTensorType(first.type).shape
    added = []
    if accumulation_start(init, 0.0) != Start():
        added.append(reshaped(init, [batch * rows, shape[-1]]))
    made = build_product(first, second, added, add_all)
    op.results[0].replace_all_uses_with(reshaped(made.result, shape))

"""Products of two matrices that are both computed, for each of a batch.

    result[b * rows + r, c] = epilogue(sum over d of input[b, r, d] * factor[b, d, c])

The result is rows, as that of a linear layer is, so that the same tails are fused. Columns are what
filters are there.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import EpilogueBuilder, epilogue_problem, identity, shape_text
from .ops import build_layer
from .rules import reject, tensors_problem
from .sparse_pattern import SparsePattern


class ProductOp(SparsePattern.Operation, name="product", traits=[ext.Pure]):
    """Batch x rows x depth by batch x depth x columns, with an epilogue."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    factor: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, product_problem(self))


def build_product(
    input: ir.Value,
    factor: ir.Value,
    per_position: Sequence[ir.Value] = (),
    epilogue: EpilogueBuilder = identity,
) -> Any:
    """A `product` at the current insertion point and location."""
    batch, rows, _ = ir.RankedTensorType(input.type).shape
    columns = ir.RankedTensorType(factor.type).shape[2]
    result = ir.RankedTensorType.get([batch * rows, columns], ir.F32Type.get())
    return build_layer("product", result, [input, factor], [], per_position, epilogue, {})


def product_problem(op: ProductOp) -> str:
    """What is wrong with a `product`, empty if nothing is."""
    data, factor, result = op.input.type, op.factor.type, op.result.type
    if problem := tensors_problem(op):
        return problem
    for kind in (data, factor, result):
        if not isinstance(kind.element_type, ir.F32Type) or 0 in kind.shape:
            return f"needs tensors of f32 with sizes from 1 on, got {kind}"
    if data.rank != 3 or factor.rank != 3:
        return f"needs two batches of matrices, got {shape_text(data)} and {shape_text(factor)}"
    batch, rows, depth = data.shape
    if list(factor.shape[:2]) != [batch, depth]:
        return f"cannot multiply {shape_text(data)} by {shape_text(factor)}"
    if list(result.shape) != [batch * rows, factor.shape[2]]:
        wanted = f"{batch * rows}x{factor.shape[2]}"
        return f"has {wanted} numbers, but its result is {shape_text(result)}"
    return epilogue_problem(op, factor.shape[2])

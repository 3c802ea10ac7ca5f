"""Keep computed positions within their tensor: what is beyond gives the nearest element.

    %i = arith.index_cast %in : i64 to index
    tensor.extract %rows[%i, %j]                       %rows: tensor<5x4xf32>
      -->
    %0 = arith.maxsi %i, %c0
    %1 = arith.minsi %0, %c4
    tensor.extract %rows[%1, %j]

PyTorch raises an error there, and compiled code would read, or write, the memory beside the tensor.
Positions that follow from loops alone stay as they are.
"""

from __future__ import annotations

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg, tensor

SCATTER = "tm_tensor.scatter"


def clamp_indices(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    for op in list(ir.get_ops_of_type(module.operation, tensor.ExtractOp)):
        for dim, index in enumerate(op.indices):
            if _depends_on_data(index):
                last = op.tensor.type.shape[dim] - 1
                with ir.InsertionPoint(op), op.location:
                    op.operation.operands[1 + dim] = _clamped(index, last)
    for op in list(_scatters(module)):
        _clamp_scatter(op)


def _clamped(index: ir.Value, last: int) -> ir.Value:
    first = arith.constant(index.type, 0)
    return arith.minsi(arith.maxsi(index, first), arith.constant(index.type, last))


def _depends_on_data(value: ir.Value) -> bool:
    if isinstance(value, ir.BlockArgument):
        return True
    op = value.owner.operation
    return op.name == "tensor.extract" or any(map(_depends_on_data, op.operands))


def _scatters(module: ir.Module) -> list[ir.Operation]:
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name == SCATTER:
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def _clamp_scatter(op: ir.Operation) -> None:
    """Positions are a matrix: a row for each update, a column for each dimension it names."""
    indices, target = op.operands[1], op.operands[2]
    dims = list(ir.DenseI64ArrayAttr(op.attributes["dimension_map"]))
    element = indices.type.element_type
    with ir.InsertionPoint(op), op.location:
        last = np.array([target.type.shape[dim] - 1 for dim in dims])
        kind = ir.RankedTensorType.get([len(dims)], element)
        limits = arith.constant(kind, _dense(last, kind))
        rows, column = ir.AffineDimExpr.get(0), ir.AffineDimExpr.get(1)
        matrix = ir.AffineMap.get(2, 0, [rows, column])
        generic = linalg.GenericOp(
            [indices.type],
            [indices, limits],
            [tensor.empty(indices.type.shape, element)],
            [matrix, ir.AffineMap.get(2, 0, [column]), matrix],
            [linalg.IteratorType.parallel] * 2,
        )
        block = generic.regions[0].blocks.append(element, element, element)
        with ir.InsertionPoint(block):
            index, limit, _ = block.arguments
            inside = arith.minsi(arith.maxsi(index, arith.constant(element, 0)), limit)
            linalg.yield_([inside])
        op.operands[1] = generic.results[0]


def _dense(values: np.ndarray, kind: ir.RankedTensorType) -> ir.Attribute:
    width = np.int32 if kind.element_type.width == 32 else np.int64
    return ir.DenseElementsAttr.get(values.astype(width), type=kind)

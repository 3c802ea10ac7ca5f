"""Normalisation of rows, and softmax, as one op: statistics over a row, then each of its numbers.

    layer      y = (x - mean) / sqrt(mean((x - mean)^2) + epsilon)
    rms        y = x / sqrt(mean(x^2) + epsilon)
    softmax    y = e^(x - max) / sum(e^(x - max))

Scale and bias are in the epilogue, as values for each filter: a channel is one here. Groups of
channels are rows as well.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import EpilogueBuilder, epilogue_problem, identity, shape_text
from .ops import build_layer
from .rules import reject, tensors_problem
from .sparse_pattern import SparsePattern

NORMALIZATIONS = ("layer", "rms", "softmax")


class NormalizeOp(SparsePattern.Operation, name="normalize", traits=[ext.Pure]):
    """Rows x channels, each row by its own statistics, with an epilogue."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    kind: ir.StringAttr
    epsilon: ir.FloatAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, normalize_problem(self))


def build_normalize(
    input: ir.Value,
    per_filter: Sequence[ir.Value] = (),
    epilogue: EpilogueBuilder = identity,
    *,
    kind: str,
    epsilon: float = 0.0,
) -> Any:
    """A `normalize` at the current insertion point and location."""
    attributes = {
        "kind": ir.StringAttr.get(kind),
        "epsilon": ir.FloatAttr.get(ir.F32Type.get(), epsilon),
    }
    return build_layer("normalize", input.type, [input], per_filter, [], epilogue, attributes)


def normalize_problem(op: NormalizeOp) -> str:
    """What is wrong with a `normalize`, empty if nothing is."""
    if op.kind.value not in NORMALIZATIONS:
        return f"needs kind {' or '.join(NORMALIZATIONS)}, got {op.kind.value}"
    if not op.epsilon.value >= 0:
        return f"needs an epsilon of at least 0, got {op.epsilon.value:g}"
    data, result = op.input.type, op.result.type
    if problem := tensors_problem(op):
        return problem
    if data.rank != 2 or data.shape[1] < 1:
        return f"needs rows of channels, got {shape_text(data)}"
    if not isinstance(data.element_type, ir.F32Type):
        return f"needs an input of f32, got {data.element_type}"
    if list(result.shape) != list(data.shape):
        return f"has {shape_text(data)} as its input, but its result is {shape_text(result)}"
    return epilogue_problem(op, data.shape[1])

"""Normalisation of groups of channels over all their pixels, as one op: group and instance norms.

    y = (x - mean) / sqrt(mean((x - mean)^2) + epsilon)

with the means of each image over the channels of a group and all pixels. Scale and bias are in the
epilogue, as values for each filter: a channel is one here. One group is a layer norm of images, as
many groups as channels an instance norm.

With positions, as a `take` has them, the result is what these take of it: a border in reverse, say.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import EpilogueBuilder, epilogue_problem, identity, shape_text
from .layout import layout_of
from .ops import build_layer
from .rules import groups_problem, reject, tensors_problem
from .sparse_pattern import SparsePattern, int_array, int_attr, ints, is_int_array
from .take import RANKS, positions_problem


class NormalizePlanesOp(SparsePattern.Operation, name="normalize_planes", traits=[ext.Pure]):
    """Images x channels x spatial, each group of channels by its own statistics."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    groups: ir.IntegerAttr
    epsilon: ir.FloatAttr
    positions: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, normalize_planes_problem(self))


def build_normalize_planes(
    input: ir.Value,
    per_filter: Sequence[ir.Value] = (),
    epilogue: EpilogueBuilder = identity,
    *,
    groups: int,
    epsilon: float,
) -> Any:
    """A `normalize_planes` at the current insertion point and location."""
    attributes = {
        "groups": int_attr(groups),
        "epsilon": ir.FloatAttr.get(ir.F32Type.get(), epsilon),
        "positions": int_array(()),
    }
    name = "normalize_planes"
    return build_layer(name, input.type, [input], per_filter, [], epilogue, attributes)


def normalize_planes_problem(op: NormalizePlanesOp) -> str:
    """What is wrong with a `normalize_planes`, empty if nothing is."""
    data = op.input.type
    if problem := tensors_problem(op):
        return problem
    if not isinstance(data.element_type, ir.F32Type):
        return f"needs an input of f32, got {data.element_type}"
    if problem := positions_problem(op) if has_positions(op) else _same_planes_problem(op):
        return problem
    if not op.epsilon.value >= 0:
        return f"needs an epsilon of at least 0, got {op.epsilon.value:g}"
    if has_positions(op) and len(op.per_position):
        return "has operands per position, and takes positions of what they are added to"
    return groups_problem(op, data.shape[1]) or epilogue_problem(op, data.shape[1])


def has_positions(op: NormalizePlanesOp) -> bool:
    """Whether the result is taken of what is normalised."""
    return not is_int_array(op.positions) or bool(ints(op.positions))


def _same_planes_problem(op: NormalizePlanesOp) -> str:
    """Without positions the result lies as the input does."""
    data, result = op.input.type, op.result.type
    if data.rank not in RANKS or 0 in data.shape:
        return f"needs images x channels x one to three dimensions, got {shape_text(data)}"
    if list(result.shape) != list(data.shape):
        return f"has {shape_text(data)} as its input, but its result is {shape_text(result)}"
    layout = layout_of(result)
    if layout_of(data) != layout or (layout is not None and layout.split):
        return "needs an input of the result's layout, which is not split into phases"
    return ""

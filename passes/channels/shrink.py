"""Make tensors smaller by the slices that nothing needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import NormalizePlanesOp, int_attr

from ..base import constant, dense_value
from .facts import Facts, Step, Tie, is_empty, is_made_anew, shape_of
from .layers import AXIS, bias_position, shifted_bias, sliced
from .moves import adjust_move


def shrink(steps: Sequence[Step], facts: Facts) -> None:
    """Rewrite the ops in place: types of results, weights and constants, sizes in attributes."""
    for step in steps:
        with ir.InsertionPoint(step.op), step.op.location:
            if step.weights is not None:
                _shrink_weights(step, facts)
            if not facts.kept(step.result).all():
                _shrink_result(step, facts)
            adjust_move(step, facts)
            step.shrink(facts)


def _shrink_result(step: Step, facts: Facts) -> None:
    kept = facts.kept(step.result)
    for tie in step.ties:
        if tie.operand is not None and is_made_anew(tie.value):
            own = np.unique(tie.own[kept[tie.result]])
            step.op.operation.operands[tie.operand] = _taken(step, tie, own)
    step.result.set_type(_smaller(step.result, step.axis, int(kept.sum())))
    if isinstance(step.op, NormalizePlanesOp):  # of single channels
        step.op.attributes["groups"] = int_attr(int(kept.sum()))


def _shrink_weights(step: Step, facts: Facts) -> None:
    """New weights where some go or have changed, and a bias that has what constants add."""
    op, weights = step.op, step.weights
    assert weights is not None
    filters = facts.kept(step.result)
    made = is_made_anew(op.input)  # a network of constants
    channels = np.ones(shape_of(op.input)[AXIS], np.bool_) if made else facts.kept(op.input)
    if weights.shift.any():
        position = bias_position(op)
        assert position is not None, "without a bias nothing is added to it"
        op.operation.operands[position] = constant(shifted_bias(op, position, weights))
    if filters.all() and channels.all() and not weights.changed:
        return
    array, groups = sliced(weights, filters, channels)
    kernel = op.weight.type.shape[2:]
    op.operation.operands[1] = constant(array.reshape(*array.shape[:2], *kernel))
    if "groups" in op.attributes:
        op.attributes["groups"] = int_attr(groups)


def _taken(step: Step, tie: Tie, own: Any) -> Any:
    """A constant or empty tensor of fewer slices. The operand is the current one: a bias may be
    another already."""
    value = step.op.operation.operands[tie.operand]
    kind = _smaller(value, tie.axis, own.size)
    if is_empty(value):
        return ir.Operation.create("tensor.empty", [kind]).result
    array = dense_value(value)
    assert array is not None, "a constant that nobody can read is pinned"
    return constant(np.take(array, own, axis=tie.axis))


def _smaller(value: Any, axis: int, count: int) -> ir.RankedTensorType:
    kind = ir.RankedTensorType(value.type)
    shape = [*kind.shape[:axis], count, *kind.shape[axis + 1 :]]
    return ir.RankedTensorType.get(shape, kind.element_type)

"""Find the steps of a function: the ops whose slices can be followed, and along which dimension.

Backwards, since readers know the dimension: a layer's channels are dimension 1 of what it reads. A
tensor that an unknown op reads is pinned: it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import AttentionOp, RecurrentOp

from ..base import is_private, nested_ops
from .attention import ROWS_AXIS, HeadsStep, heads_step, whole_heads_step
from .elementwise import elementwise_step, fill_step
from .facts import Facts, Step, is_made_anew
from .layers import AXIS, is_layer, layer_step
from .moves import move_step
from .recurrent import units_step


def collect(
    ops: Sequence[Any], facts: Facts, threshold: float, also: tuple[type, ...] = ()
) -> list[Step]:
    """The steps among `ops`, in program order; `facts` gets the axes and pins of all tensors.

    Attentions and recurrent layers are followed if they are among `also`.
    """
    steps: list[Step] = []
    inside: set[Any] = set()
    for op in reversed(ops):
        if op.operation in inside:
            continue
        step = _step(op, facts, threshold, also) if _can_be_followed(op) else None
        if step is not None and _agrees(step, facts):
            steps.append(step)
            _note(step, facts)
            if isinstance(step, HeadsStep):
                inside.update(each.operation for each in step.inside)
            continue
        for value in _values_read(op):
            facts.pin(value, _why_pinned(op))
    made = {value for step in steps for value in step.op.results}
    for value in facts.axes.keys() - made:
        facts.pin(value, _why_given(value))
    return steps[::-1]


def _can_be_followed(op: Any) -> bool:
    """Whether an op has one result of slices and works on tensors of known shapes without layouts.

    A recurrent layer's other result has the same slices.
    """
    values = [*op.operands, *op.results]
    if op.operation.name == "linalg.fill":
        values = values[1:]  # without the number
    if len(op.results) != 1 and not isinstance(op, RecurrentOp):
        return False
    if not all(isinstance(value.type, ir.RankedTensorType) for value in values):
        return False
    kinds = [ir.RankedTensorType(value.type) for value in values]
    return all(kind.has_static_shape and kind.encoding is None for kind in kinds)


def _step(op: Any, facts: Facts, threshold: float, also: tuple[type, ...]) -> Step | None:
    if is_layer(op):
        return layer_step(op, threshold)
    if isinstance(op, RecurrentOp):
        return units_step(op, threshold) if RecurrentOp in also else None
    axis = facts.axes.get(op.results[0])
    if AttentionOp in also and axis in (None, ROWS_AXIS) and (step := heads_step(op)):
        return step
    if axis is None:
        return None
    if isinstance(op, AttentionOp):
        return whole_heads_step(op, axis) if AttentionOp in also else None
    if op.operation.name == "linalg.generic":
        return elementwise_step(op, axis)
    if op.operation.name == "linalg.fill":
        return fill_step(op, axis)
    return move_step(op, axis)


def _followed(step: Step) -> Iterable[tuple[Any, int]]:
    """Tensors that a step writes and reads, with the dimensions it follows."""
    yield step.result, step.axis
    for tie in step.ties:
        if not is_made_anew(tie.value):
            yield tie.value, tie.axis
    if step.weights is not None and not is_made_anew(step.op.input):
        yield step.op.input, AXIS


def _agrees(step: Step, facts: Facts) -> bool:
    """Whether all readers of these tensors follow the same dimensions."""
    axes = dict(facts.axes)
    return all(axes.setdefault(value, axis) == axis for value, axis in _followed(step))


def _note(step: Step, facts: Facts) -> None:
    facts.axes.update(_followed(step))
    for value in step.pinned:
        facts.pin(value, _why_pinned(step.op))


def _values_read(op: Any) -> Iterable[Any]:
    yield from op.operands
    for inner in nested_ops(op):
        yield from inner.operands


def _why_given(value: Any) -> str:
    if isinstance(value.owner, ir.Block):
        is_body = is_private(value.owner.owner)
        return "a loop gives them" if is_body else "the network's input has them"
    return f"{value.owner.operation.name} computes them"


def _why_pinned(op: Any) -> str:
    name = op.operation.name
    if name != "func.return":
        return f"{name} reads them"
    return (
        "a loop goes on with them"
        if is_private(op.operation.parent)
        else "the network returns them"
    )

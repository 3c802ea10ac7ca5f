"""Elementwise ops: slice i of the result needs slice i of what it reads.

    %y = linalg.generic ins(%x, %gate) { x * gate }       %gate: tensor<1x64x1x1xf32>

A reduction of other dimensions is of this kind, and what it begins with, a `linalg.fill`; and so is
an op that resizes: its body reads a tensor at the channel where it writes.

    ^bb0(%out: f32):
      %c = linalg.index 1
      %v = tensor.extract %x[%n, %c, %nearest_row, %nearest_column]
"""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from ..raising.maps import iterators_of, maps_of
from ..raising.operands import scalar_constant
from .evaluate import Known, evaluate
from .facts import Facts, Step, Tie, is_empty, is_made_anew, shape_of


def elementwise_step(op: Any, axis: int) -> Step | None:
    """The step of a `linalg.generic`; None if it is not elementwise along the axis."""
    maps = maps_of(op)
    loops = [_loop(expression) for expression in maps[-1].results]
    loop, count = loops[axis], shape_of(op.results[0])[axis]
    kinds = iterators_of(op)
    parallel = {number for number, kind in enumerate(kinds) if kind == "parallel"}
    if loop is None or set(loops) - {-1} != parallel or not set(kinds) <= {"parallel", "reduction"}:
        return None
    ties, pinned = [], []
    for number, (value, affine_map) in enumerate(zip(op.operands, maps, strict=True)):
        found = [_loop(expression) for expression in affine_map.results]
        if None in found or found.count(loop) > 1:
            return None
        if loop in found:
            ties.append(Tie.same(number, value, found.index(loop), count))
        else:
            pinned.append(value)  # it is the same for all slices
    captured = _captured(op, loop, count)
    if captured is None:
        return None
    return Step(op, axis, [*ties, *captured[0]], [*pinned, *captured[1]])


def fill_step(op: Any, axis: int) -> Step | None:
    """The step of a `linalg.fill` of a new tensor; None if it is of another."""
    _, value = op.operands
    tie = Tie.same(1, value, axis, shape_of(value)[axis])
    return Step(op, axis, [tie]) if is_empty(value) else None


def fill_constants(step: Step) -> Known:
    """All slices, of a number that is known."""
    number, count = scalar_constant(step.op.operands[0]), shape_of(step.result)[step.axis]
    return Known.nothing(count) if number is None else Known.uniform(number, count)


def elementwise_constants(step: Step, facts: Facts) -> Known:
    """Slices of the result that are computed from constants alone.

    A reduction gives a constant that it does not change any more, as a sum of zeros is.
    """
    block, count = step.op.regions[0].blocks[0], shape_of(step.result)[step.axis]
    given = {}
    for tie in step.ties:
        if tie.operand is not None and not is_empty(tie.value):
            given[block.arguments[tie.operand]] = facts.known_of(tie.value, tie.axis)
    for argument, value in zip(block.arguments, step.op.operands, strict=True):
        if argument not in given and (number := scalar_constant(value)) is not None:
            given[argument] = Known.uniform(number, count)
    for inner in block.operations:
        if inner.operation.name == "tensor.extract":
            for tie in step.ties:
                if tie.operand is None and tie.value == inner.operands[0]:
                    given[inner.results[0]] = facts.known_of(tie.value, tie.axis)
    (result,) = evaluate(block, given, count)
    if "reduction" not in iterators_of(step.op):
        return result
    (again,) = evaluate(block, {**given, block.arguments[-1]: result}, count)
    return again.only(result.known & (again.values == result.values))


def _loop(expression: Any) -> int | None:
    """The loop that an index is, -1 for a constant, None for anything else."""
    if isinstance(expression, ir.AffineDimExpr):
        return int(expression.position)
    return -1 if isinstance(expression, ir.AffineConstantExpr) else None


def _captured(op: Any, loop: int, count: int) -> tuple[list[Tie], list[Any]] | None:
    """Ties to tensors that the body reads elements of, and tensors that it reads otherwise.

    None if the body does anything but scalar code with them, or computes with the slice's number.
    """
    ties: list[Tie] = []
    pinned: list[Any] = []
    block = op.regions[0].blocks[0]
    for inner in list(block.operations)[:-1]:
        name = inner.operation.name
        if name == "tensor.extract":
            tensor, *indices = inner.operands
            places = [place for place, index in enumerate(indices) if _is_index(index, loop)]
            if len(places) > 1 or (places and is_made_anew(tensor)):
                return None
            if places:
                ties.append(Tie.same(None, tensor, places[0], count))
            else:
                pinned.append(tensor)
        elif any(_is_index(operand, loop) for operand in inner.operands):
            return None  # it computes with the slice's number
        elif not name.startswith(("arith.", "math.")) and name != "linalg.index":
            return None
    return ties, pinned


def _is_index(value: Any, loop: int) -> bool:
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "linalg.index":
        return False
    return bool(ir.IntegerAttr(value.owner.attributes["dim"]).value == loop)

"""Ops that move elements: transpose, reshape, concatenate, cut out, pad, take.

    %y = tensor.collapse_shape %x [[0], [1, 2, 3]] : tensor<1x8x2x2xf32> into tensor<1x32xf32>

ties channel c of %x to the elements 4c to 4c + 3 of %y. A pixel shuffle ties r*r channels to one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import int_array, ints

from ..raising.operands import pad_value
from .evaluate import Known
from .facts import Facts, Slices, Step, Tie, is_empty, is_made_anew, shape_of


def move_step(op: Any, axis: int) -> Step | None:
    """The step of an op that moves elements; None if it is another, or has no slices to follow."""
    rule = _RULES.get(op.operation.name)
    ties = None if rule is None else rule(op, axis)
    return None if ties is None else Step(op, axis, ties)


def move_constants(step: Step, facts: Facts) -> Known:
    """Slices of the result to which only equal constants are moved."""
    count = shape_of(step.result)[step.axis]
    least, most = np.full(count, np.inf, np.float32), np.full(count, -np.inf, np.float32)
    known = np.ones(count, np.bool_)
    for tie in step.ties:
        if is_empty(tie.value):
            continue
        source = facts.known_of(tie.value, tie.axis)
        np.minimum.at(least, tie.result, source.values[tie.own])
        np.maximum.at(most, tie.result, source.values[tie.own])
        np.logical_and.at(known, tie.result, source.known[tie.own])
    if step.op.operation.name == "tensor.pad":
        fill = pad_value(step.op)
        known &= np.full(count, fill is not None) & (least == (fill or 0))
    return Known.all(np.where(known, least, 0).astype(np.float32)).only(known & (least == most))


def adjust_move(step: Step, facts: Facts) -> None:
    """Make an op's attributes fit what stays; the types of its operands are already smaller."""
    kept, op = facts.kept(step.result), step.op
    if op.operation.name == "tensor.expand_shape":
        _set_size(op, "static_output_shape", step.axis, int(kept.sum()))
    if op.operation.name == "tensor.extract_slice":
        (tie,) = step.ties
        _set_size(op, "static_sizes", step.axis, int(kept.sum()))
        first = ints(op.attributes["static_offsets"])[step.axis]
        if not is_made_anew(tie.value):
            _set_size(op, "static_offsets", step.axis, int(facts.kept(tie.value)[:first].sum()))
        elif not kept.all():  # it is a new constant, of what stays alone
            _set_size(op, "static_offsets", step.axis, 0)


def _set_size(op: Any, name: str, axis: int, size: int) -> None:
    sizes = list(ints(op.attributes[name]))
    sizes[axis] = size
    op.attributes[name] = int_array(sizes)


def _transpose(op: Any, axis: int) -> list[Tie]:
    source, target = op.operands
    count = shape_of(target)[axis]
    from_axis = ints(op.attributes["permutation"])[axis]
    return [Tie.same(0, source, from_axis, count), Tie.same(1, target, axis, count)]


def _expand(op: Any, axis: int) -> list[Tie]:
    """A dimension becomes several: one of its slices belongs to one slice of each of them."""
    shape, groups = shape_of(op.results[0]), _reassociation(op)
    group = next(number for number, dimensions in enumerate(groups) if axis in dimensions)
    inner = _coordinates([shape[d] for d in groups[group]], groups[group].index(axis))
    return [Tie(0, op.operands[0], group, np.arange(inner.size), inner)]


def _collapse(op: Any, axis: int) -> list[Tie] | None:
    """Several dimensions become one: the first that is not 1 is followed, channels as a rule."""
    if is_made_anew(op.operands[0]):
        return None  # nothing would tie the elements of one of its slices
    shape, group = shape_of(op.operands[0]), _reassociation(op)[axis]
    followed = next((d for d in group if shape[d] > 1), group[0])
    inner = _coordinates([shape[d] for d in group], group.index(followed))
    return [Tie(0, op.operands[0], followed, inner, np.arange(inner.size))]


def _concat(op: Any, axis: int) -> list[Tie]:
    if ir.IntegerAttr(op.attributes["dim"]).value != axis:
        count = shape_of(op.results[0])[axis]
        return [Tie.same(n, value, axis, count) for n, value in enumerate(op.operands)]
    ties, first = [], 0
    for number, value in enumerate(op.operands):
        own = np.arange(shape_of(value)[axis])
        ties.append(Tie(number, value, axis, own, own + first))
        first += own.size
    return ties


def _extract(op: Any, axis: int) -> list[Tie] | None:
    """A slice of all dimensions, consecutive along the axis."""
    source, names = op.operands[0], ("static_offsets", "static_sizes", "static_strides")
    if len(op.operands) > 1 or len(shape_of(source)) != len(shape_of(op.results[0])):
        return None
    first, count, stride = (ints(op.attributes[name])[axis] for name in names)
    own = np.arange(count)
    return [Tie(0, source, axis, own + first, own)] if stride == 1 else None


def _pad(op: Any, axis: int) -> list[Tie] | None:
    """Padding of other dimensions."""
    sides = [ints(op.attributes[name])[axis] for name in ("static_low", "static_high")]
    if any(sides) or pad_value(op) is None:
        return None
    return [Tie.same(0, op.operands[0], axis, shape_of(op.results[0])[axis])]


def _take(op: Any, axis: int) -> list[Tie] | None:
    """Rows and columns of each channel alike."""
    spatial = 2
    if axis >= spatial:
        return None
    return [Tie.same(0, op.operands[0], axis, shape_of(op.results[0])[axis])]


_RULES = {
    "sparse_pattern.take": _take,
    "linalg.transpose": _transpose,
    "tensor.expand_shape": _expand,
    "tensor.collapse_shape": _collapse,
    "tensor.concat": _concat,
    "tensor.extract_slice": _extract,
    "tensor.pad": _pad,
}


def _reassociation(op: Any) -> list[list[int]]:
    return [[int(d.value) for d in group] for group in op.attributes["reassociation"]]


def _coordinates(sizes: list[int], place: int) -> Slices:
    """For each index of joined dimensions of `sizes` the index in one of them."""
    indices = np.arange(math.prod(sizes)) // math.prod(sizes[place + 1 :])
    return indices % sizes[place]

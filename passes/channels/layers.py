"""Layers of the dialect: how their filters follow from their channels, if these are constant.

A filter whose weights are all zero is its bias after the activation, at every pixel. A layer that
reads such a channel does not need it if it can add what the channel contributes to its own bias.
Beside padding the contribution is another one, so there all constant channels but one are merged
into that one:

    w0 * (channel of 2) + w1 * (channel of 1)  =  (w0 + w1 / 2) * (channel of 2)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import ConvOp, LinearOp, NormalizePlanesOp, PoolOp, ints

from ..base import dense_value
from ..layers import groups_of, layer_weights
from .evaluate import Known, evaluate
from .facts import Array, Facts, Step, Tie, Weights, shape_of

AXIS = 1  # channels and filters of activations, inputs and filters of rows


def layer_step(op: Any, threshold: float) -> Step | None:
    """The step of a layer, None if its weights are not constant.

    Weights of at most `threshold` become zero.
    """
    count = shape_of(op.results[0])[AXIS]
    ties = []
    first = len(op.operands) - len(op.per_filter) - len(op.per_position)
    for number, value in enumerate(op.operands):
        if number >= first:
            axis = 0 if number < first + len(op.per_filter) else AXIS
            ties.append(Tie.same(number, value, axis, count))
    if isinstance(op, (PoolOp, NormalizePlanesOp)):
        return Step(op, AXIS, [Tie.same(0, op.input, AXIS, count), *ties])
    if dense_value(op.weight) is None:
        return None
    return Step(op, AXIS, ties, weights=own_weights(op, threshold))


def own_weights(op: Any, threshold: float) -> Weights:
    """The constant weights of a layer; those of at most `threshold` become zero."""
    array, changed = layer_weights(op), False
    if threshold:
        tiny = (np.abs(array) <= threshold) & (array != 0)
        array, changed = np.where(tiny, 0, array), bool(tiny.any())
    used = np.asarray(array.any(axis=2))
    return Weights(array, used, groups_of(op), np.zeros(len(array)), changed)


def layer_constants(step: Step, facts: Facts) -> Known:
    """Filters that give a constant; takes constant channels out of the step's weights."""
    op, count = step.op, shape_of(step.result)[AXIS]
    source = facts.known_of(op.input, AXIS)
    if step.weights is None:
        sums = pooled(op, source) if isinstance(op, PoolOp) else normalised(source)
    else:
        fold_constants(step.weights, source, not is_padded(op) and bias_position(op) is not None)
        sums = Known.all(step.weights.shift.astype(np.float32)).only(zero_filters(step.weights))
    block = op.epilogue.blocks[0]
    extras = len(op.per_filter) + len(op.per_position)
    values = [facts.known_of(tie.value, tie.axis) for tie in step.ties[len(step.ties) - extras :]]
    given = dict(zip(block.arguments, [sums, *values], strict=True))
    (result,) = evaluate(block, given, count)
    return result


def fold_constants(weights: Weights, channels: Known, to_bias: bool) -> None:
    """Take constant channels out of a layer's weights, into `shift` or all into one of them."""
    filters, per_group = weights.array.shape[:2]
    group = np.arange(filters) // (filters // weights.groups)
    values = channels.values.astype(np.float64).reshape(weights.groups, per_group)[group]
    known = channels.known.reshape(weights.groups, per_group)[group] & weights.used
    merged = known & (values != 0)
    largest = np.argmax(np.abs(channels.values).reshape(weights.groups, per_group), axis=1)[group]
    rows = np.arange(filters)
    if not to_bias:
        known &= ~merged | (np.arange(per_group) != largest[:, None])
        # What reads the largest alone stays as it is.
        merged &= known
    if not known.any():
        return
    moved = np.where(merged, values, 0)[:, :, None] * weights.array
    result = np.where(known[:, :, None], 0, weights.array)
    if to_bias:
        weights.shift = moved.sum(axis=(1, 2))
    else:
        some = merged.any(axis=1)
        scale = np.where(some, values[rows, largest], 1)
        result[rows, largest] += (moved.sum(axis=1) / scale[:, None]).astype(result.dtype)
    weights.array, weights.used, weights.changed = result, np.asarray(result.any(axis=2)), True


def pooled(op: Any, source: Known) -> Known:
    """What a pooling's windows give in constant channels."""
    if op.kind.value == "max":
        return source if every_window_meets_input(op) else Known.nothing(source.known.size)
    taps = math.prod(ints(op.kernel))
    total = Known.all(source.values * np.float32(taps)).only(source.known)
    return total.only(source.values == 0) if is_padded(op) else total


def normalised(source: Known) -> Known:
    """What a norm of single channels makes of constant ones: they are their own mean."""
    return Known.all(np.zeros_like(source.values)).only(source.known & np.isfinite(source.values))


def every_window_meets_input(op: Any) -> bool:
    """Whether no window of a pooling lies in padding alone."""
    spatial = op.input.type.shape[2:]
    padding, rank = ints(op.padding), len(spatial)
    for axis, size in enumerate(spatial):
        reach = ints(op.dilations)[axis] * (ints(op.kernel)[axis] - 1)
        last = size + padding[axis] + padding[rank + axis] - reach
        first = np.arange(0, last, ints(op.strides)[axis]) - padding[axis]
        taps = first[:, None] + np.arange(0, reach + 1, ints(op.dilations)[axis])
        if not ((taps >= 0) & (taps < size)).any(axis=1).all():
            return False
    return True


def is_padded(op: Any) -> bool:
    """Whether windows read padding."""
    return not isinstance(op, LinearOp) and any(ints(op.padding))


def bias_position(op: Any) -> int | None:
    """Which operand is a constant that the epilogue adds to the accumulator first of all."""
    block = op.epilogue.blocks[0]
    sums, *extras = list(block.arguments)[: 1 + len(op.per_filter)]
    first = len(op.operands) - len(op.per_filter) - len(op.per_position)
    for number, (argument, value) in enumerate(zip(extras, op.per_filter, strict=True)):
        readers = [use.owner for each in (sums, argument) for use in each.uses]
        if len(readers) != 2 or readers[0] != readers[1] or dense_value(value) is None:
            continue
        if readers[0].operation.name == "arith.addf":
            return first + number
    return None


def zero_filters(weights: Weights) -> npt.NDArray[np.bool_]:
    """Filters without a weight."""
    return ~np.asarray(weights.used.any(axis=1))


def channels_read(weights: Weights, filters: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Channels that these filters have weights for."""
    used = weights.used & filters[:, None]
    read: npt.NDArray[np.bool_] = (
        used.reshape(weights.groups, -1, used.shape[1]).any(axis=1).reshape(-1)
    )
    return read


def sliced(
    weights: Weights, filters: npt.NDArray[np.bool_], channels: npt.NDArray[np.bool_]
) -> tuple[Array, int]:
    """Weights of what stays, and how many groups do; groups that stay keep equally many."""
    parts = []
    per_group = zip(
        np.split(weights.array, weights.groups),
        np.split(filters, weights.groups),
        np.split(channels, weights.groups),
        strict=True,
    )
    for array, of_filters, of_channels in per_group:
        if of_filters.any():
            parts.append(array[of_filters][:, of_channels])
    return np.concatenate(parts), len(parts)


def shifted_bias(op: Any, position: int, weights: Weights) -> Array:
    """The bias with what constant channels add to it."""
    bias = dense_value(op.operands[position])
    assert bias is not None, "bias_position looks for constants"
    total: Array = (bias + weights.shift).astype(bias.dtype)
    return total


def is_layer(op: Any) -> bool:
    """Whether an op is one of the dialect's layers whose channels can be followed."""
    if isinstance(op, NormalizePlanesOp):  # groups of several would not stay equally large
        return bool(op.groups.value == op.input.type.shape[AXIS])
    return isinstance(op, (ConvOp, LinearOp, PoolOp)) and isinstance(
        op.input.type.element_type, ir.F32Type
    )

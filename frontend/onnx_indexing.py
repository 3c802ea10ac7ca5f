"""Ops that only move elements, with every position known or clipped when it is read.

Slice(x, [-1], [-2^63], [0], [-1])   -->   Gather(x, [n - 1, ..., 0])       end and step clipped
ReverseSequence(x, lengths)          -->   GatherElements(x, where each element comes from)
TensorScatter(cache, update, at)     -->   Where(in the update, GatherElements(update), cache)
"""

from __future__ import annotations

import numpy as np

from niwaki.frontend.onnx_steps import Steps


def slice_(steps: Steps) -> None:
    """Bounds as Python has them, which ONNX agrees with; backwards by a list of positions."""
    shape = steps.input_shape()
    starts, ends, axes, strides = (steps.input_constant(number) for number in (1, 2, 3, 4))
    if starts is None or ends is None:
        return
    axes = np.arange(len(starts)) if axes is None else axes % len(shape)
    strides = np.ones_like(starts) if strides is None else strides
    bounds = [
        slice(*map(int, bound)).indices(shape[axis])
        for axis, *bound in zip(axes, starts, ends, strides, strict=True)
    ]
    if all(stride > 0 for *_, stride in bounds):
        exact = [[start, max(start, stop), stride] for start, stop, stride in bounds]
        if exact != np.stack([starts, ends, strides], 1).tolist():
            first, last, by = np.transpose(exact)
            steps.op("Slice", steps.node.input[0], *map(steps.constant, (first, last, axes, by)))
        return
    result = steps.node.input[0]
    for axis, (start, stop, stride) in zip(axes, bounds, strict=True):
        positions = steps.constant(np.arange(start, stop, stride))
        result = steps.op("Gather", result, positions, axis=int(axis))


def tensor_scatter(steps: Steps) -> None:
    """Each place of the cache gets the step of the update that belongs there, if one does."""
    cache, update = steps.node.input[:2]
    shape = steps.input_shape()
    axis = steps.attribute("axis", -2) % len(shape)
    length = steps.graph.type_of(update).shape[axis]
    places = steps.constant(np.arange(shape[axis])[None])
    begin = steps.input(2) or steps.constant(np.zeros(shape[0]))
    step = steps.op("Sub", places, steps.op("Unsqueeze", begin, steps.constant([1])))
    if steps.attribute("mode", "linear") == "circular":
        step = steps.op("Mod", step, steps.constant(shape[axis]))
    last = steps.constant(length - 1)
    after = steps.op("GreaterOrEqual", step, steps.constant(0))
    inside = steps.op("And", after, steps.op("LessOrEqual", step, last))
    clipped = steps.op("Clip", step, steps.constant(0), last)
    column = [shape[0], *(shape[axis] if i == axis else 1 for i in range(1, len(shape)))]

    def spread(value: str) -> str:
        wide = steps.op("Reshape", value, steps.constant(column))
        return steps.op("Expand", wide, steps.constant(shape))

    moved = steps.op("GatherElements", update, spread(clipped), axis=axis)
    steps.op("Where", spread(inside), moved, cache)


def reverse_sequence(steps: Steps) -> None:
    """Of each sequence the first elements, as many as it is long, in reverse order."""
    x, lengths = steps.node.input
    shape = steps.input_shape()
    batch, time = steps.attribute("batch_axis", 1), steps.attribute("time_axis", 0)
    places = steps.constant(np.arange(shape[time])[None])
    length = steps.op("Unsqueeze", lengths, steps.constant([1]))
    mirrored = steps.op("Sub", steps.op("Sub", length, steps.constant(1)), places)
    source = steps.op("Where", steps.op("Less", places, length), mirrored, places)
    source = steps.op("Clip", source, steps.constant(0), steps.constant(shape[time] - 1))
    if batch > time:
        source = steps.op("Transpose", source, perm=[1, 0])
    column = [size if axis in (batch, time) else 1 for axis, size in enumerate(shape)]
    wide = steps.op("Reshape", source, steps.constant(column))
    wide = steps.op("Expand", wide, steps.constant(shape))
    steps.op("GatherElements", x, wide, axis=time)

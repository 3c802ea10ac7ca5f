"""Ops that only move elements, with every position known or clipped when it is read.

Slice(x, [-1], [-2^63], [0], [-1])   -->   Gather(x, [n - 1, ..., 0])       end and step clipped
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

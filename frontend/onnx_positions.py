"""Positions of several dimensions as one number, each of them within its dimension.

GatherND(x: 4x5, i)    -->   Gather(x: 20, 5 * i[0] + i[1])
ScatterND(x: 4x5, i, u)   -->   ScatterND(x: 20, 5 * i[0] + i[1], u)

torch-mlir adds them up as well, but then a position beyond a row is one in another row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from niwaki.frontend.onnx_steps import Steps


def gather_nd(steps: Steps) -> None:
    data, indices = steps.node.input
    shape, places = steps.input_shape(), steps.graph.type_of(indices).shape
    batch, count = steps.attribute("batch_dims", 0), places[-1]
    if batch + count < 2:
        return
    named = batch + count
    flat = flat_positions(steps, indices, shape[batch:named])
    if batch:
        steps_of_batch = np.arange(math.prod(shape[:batch])) * math.prod(shape[batch:named])
        column = [*shape[:batch], *[1] * (len(places) - 1 - batch)]
        flat = steps.op("Add", flat, steps.constant(steps_of_batch.reshape(column)))
    rows = steps.constant([math.prod(shape[:named]), *shape[named:]])
    steps.op("Gather", steps.op("Reshape", data, rows), flat)


def scatter_nd_of_rows(steps: Steps) -> None:
    """Several positions of each update as one."""
    data, indices, updates = steps.node.input
    shape, count = steps.input_shape(), steps.graph.type_of(indices).shape[-1]
    if count < 2:
        return
    flat = flat_positions(steps, indices, shape[:count])
    rows = steps.constant([math.prod(shape[:count]), *shape[count:]])
    made = steps.op(
        "ScatterND",
        steps.op("Reshape", data, rows),
        steps.op("Unsqueeze", flat, steps.constant([-1])),
        updates,
        reduction=steps.attribute("reduction", "none"),
    )
    steps.op("Reshape", made, steps.constant(shape))


def flat_positions(steps: Steps, indices: str, sizes: Sequence[int]) -> str:
    """What the last dimension of `indices` names in a tensor of `sizes`, as one number."""
    zero, all_sizes = steps.constant(0), steps.constant(sizes)
    from_end = steps.op("Add", indices, all_sizes)
    wrapped = steps.op("Where", steps.op("Less", indices, zero), from_end, indices)
    last = steps.constant(np.array(sizes) - 1)
    inside = steps.op("Max", steps.op("Min", wrapped, last), zero)
    strides = [math.prod(sizes[number + 1 :]) for number in range(len(sizes))]
    summands = steps.op("Mul", inside, steps.constant(strides))
    return steps.op("ReduceSum", summands, steps.constant([-1]), keepdims=0)

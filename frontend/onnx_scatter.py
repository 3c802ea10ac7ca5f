"""Scatters with a reduction, by the ones that torch-mlir has.

ScatterElements(x, i, u) {axis = 1, max}   -->   ScatterND(x, [row, i, column], u) {max}
ScatterND(x: bool, i, u) {add}             -->   Cast(ScatterND(Cast(x), i, Cast(u)) {add})
"""

from __future__ import annotations

import numpy as np
import onnx

from niwaki.frontend.onnx_positions import scatter_nd_of_rows
from niwaki.frontend.onnx_steps import Steps


def scatter_nd(steps: Steps) -> None:
    data, indices, updates = steps.node.input
    reduction = steps.attribute("reduction", "none")
    if reduction != "none" and steps.graph.type_of(data).element == onnx.TensorProto.BOOL:
        _scatter(steps, data, indices, updates, reduction)
    else:
        scatter_nd_of_rows(steps)


def scatter_elements(steps: Steps) -> None:
    data, indices, updates = steps.node.input
    reduction = steps.attribute("reduction", "none")
    if reduction == "none":
        return
    axis = steps.attribute("axis", 0) % len(steps.input_shape())
    shape = steps.graph.type_of(indices).shape
    long = steps.op("Cast", indices, to=onnx.TensorProto.INT64)
    places = [
        long if along == axis else steps.constant(positions)
        for along, positions in enumerate(np.indices(shape))
    ]
    columns = [steps.op("Unsqueeze", place, steps.constant([len(shape)])) for place in places]
    positions = steps.op("Concat", *columns, axis=len(shape))
    _scatter(steps, data, positions, updates, reduction)


def _scatter(steps: Steps, data: str, indices: str, updates: str, reduction: str) -> None:
    """torch-mlir adds booleans without a carry, so that two of them are none."""
    if steps.graph.type_of(data).element != onnx.TensorProto.BOOL:
        steps.op("ScatterND", data, indices, updates, reduction=reduction)
        return
    data, updates = (steps.op("Cast", name, to=onnx.TensorProto.INT32) for name in (data, updates))
    wide = steps.op("ScatterND", data, indices, updates, reduction=reduction)
    steps.op("Cast", wide, to=onnx.TensorProto.BOOL)

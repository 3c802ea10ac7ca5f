"""Reductions of integers, which torch-mlir has for floats alone or ends in floats.

ReduceMean(x: i32)   -->   Cast(Div(ReduceSum(Cast(x)), count))         rounded towards zero
"""

from __future__ import annotations

import math

import numpy as np
import onnx

from niwaki.frontend.onnx_steps import Steps

_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


def reduce_mean(steps: Steps) -> None:
    kind, shape = steps.graph.type_of(steps.node.input[0])
    if kind not in _INTEGERS:
        return
    axes = steps.input_constant(1)
    if axes is None or not axes.size:
        axes = np.arange(0 if steps.attribute("noop_with_empty_axes", 0) else len(shape))
    count = math.prod(shape[axis] for axis in axes)
    wide = steps.op("Cast", steps.node.input[0], to=onnx.TensorProto.INT64)
    total = steps.op(
        "ReduceSum",
        wide,
        steps.constant(axes),
        keepdims=steps.attribute("keepdims", 1),
        noop_with_empty_axes=1,
    )
    steps.op("Cast", steps.op("Div", total, steps.constant(count)), to=kind)

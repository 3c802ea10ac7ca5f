"""Casts of floats to integers that torch-mlir has no cast to, or not to all their numbers.

Cast(x: f32) {int16}    -->   Cast(Cast(x) {int32}) {int16}
Cast(x: f32) {uint64}   -->   where x >= 2^63, Cast(Cast(x - 2^63) {int64} + 2^63) {uint64}
"""

from __future__ import annotations

import numpy as np
import onnx

from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_unsigned import SIGNED, flipped

Kind = onnx.TensorProto

FLOATS = (Kind.FLOAT16, Kind.FLOAT, Kind.DOUBLE)


def cast(steps: Steps) -> None:
    x, kind = steps.node.input[0], steps.attribute("to")
    source = steps.graph.type_of(x).element
    if source not in FLOATS or kind not in (Kind.INT16, Kind.UINT16, *SIGNED):
        return
    if source == Kind.FLOAT16:
        x, source = steps.op("Cast", x, to=Kind.FLOAT), Kind.FLOAT
    if kind in SIGNED:
        steps.op("Cast", _bits(steps, x, source, SIGNED[kind]), to=kind)
    else:
        steps.op("Cast", steps.op("Cast", x, to=Kind.INT32), to=kind)


def _bits(steps: Steps, x: str, source: int, signed: int) -> str:
    """The whole numbers `x`, as bits of a signed type."""
    dtype = onnx.helper.tensor_dtype_to_np_dtype(source)
    integers = onnx.helper.tensor_dtype_to_np_dtype(signed)
    half = steps.constant(-float(np.iinfo(integers).min), dtype)
    is_large = steps.op("GreaterOrEqual", x, half)
    small = steps.op("Cast", steps.op("Where", is_large, steps.op("Sub", x, half), x), to=signed)
    return steps.op("Where", is_large, flipped(steps, small, signed), small)

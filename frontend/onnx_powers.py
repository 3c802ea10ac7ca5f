"""Powers whose exponents have another type than the base, and powers of integers.

Pow(x: f32, y: i64)    -->   Pow(x, Cast(y))                      torch-mlir has those in f64
Pow(x: i64, y: i64)    -->   x^(y0) (x^2)^(y1) (x^4)^(y2) ...     y0, y1, ... the bits of y
"""

from __future__ import annotations

import numpy as np
import onnx

from niwaki.frontend.onnx_casts import FLOATS
from niwaki.frontend.onnx_steps import Steps

_BITS = 6  # larger powers, but of 0, 1 and -1, do not fit 64 bits, and ONNX leaves them open


def power(steps: Steps) -> None:
    base, exponent = steps.node.input
    kind, other = (steps.graph.type_of(name).element for name in (base, exponent))
    if kind in FLOATS:
        if other != kind:
            steps.op("Pow", base, steps.op("Cast", exponent, to=kind))
        return
    if other in FLOATS:
        known = steps.input_constant(1)
        if known is None or (known != np.floor(known)).any():
            raise steps.refused("raises integers to powers that are floats", "cast the integers")
    long = onnx.TensorProto.INT64
    base, exponent = (steps.op("Cast", name, to=long) for name in (base, exponent))
    steps.op("Cast", _whole_power(steps, base, exponent), to=kind)


def _whole_power(steps: Steps, base: str, exponent: str) -> str:
    """Of negative exponents too: 1 / base, rounded towards zero, is 0 but of 1 and -1."""
    zero, one, two = (steps.constant(number) for number in (0, 1, 2))
    size = steps.op("Abs", exponent)
    few = steps.op("Min", size, steps.op("Add", steps.op("Mod", size, two), steps.constant(62)))
    square, result = base, one
    for _ in range(_BITS):
        is_odd = steps.op("Equal", steps.op("Mod", few, two), one)
        result = steps.op("Mul", result, steps.op("Where", is_odd, square, one))
        square, few = steps.op("Mul", square, square), steps.op("Div", few, two)
    is_inverse = steps.op("Less", exponent, zero)
    is_fraction = steps.op("Not", steps.op("Equal", steps.op("Abs", base), one))
    return steps.op("Where", steps.op("And", is_inverse, is_fraction), zero, result)

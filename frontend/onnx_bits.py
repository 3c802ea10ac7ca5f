"""Bits: shifts by amounts that may be negative or too large, which machines leave undefined.

BitShift(x, n) {LEFT}    -->   x * 2^n                    powers from a table that ends with 0
BitShift(x, n) {RIGHT}   -->   floor(floor(x / 2^(n // 2)) / 2^(n - n // 2))
                                       after a first shift by 1 if x is uint64
BitCast(x: uint8) {int8}, of bool   -->   Cast(x)
"""

from __future__ import annotations

import numpy as np
import onnx

from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_unsigned import halved

_BITS = 64  # in which all types are computed: the powers up to 2^63 fit in, the last as -2^63


def bit_shift(steps: Steps) -> None:
    x, amount = steps.node.input
    kind = steps.graph.type_of(x).element
    bits = onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize * 8
    x, amount = (steps.op("Cast", name, to=onnx.TensorProto.INT64) for name in (x, amount))
    is_left = steps.attribute("direction") == "LEFT"
    # Beyond all bits nothing is left but copies of the sign, which the last of 64 shifts makes.
    is_signed = kind != onnx.TensorProto.UINT64
    limit = bits if is_left else _BITS - is_signed
    below = steps.op("Less", amount, steps.constant(0))
    beyond = steps.op("Or", below, steps.op("Greater", amount, steps.constant(limit)))
    amount = steps.op("Where", beyond, steps.constant(limit), amount)
    if is_left:
        powers = [(1 << n) % (1 << bits) for n in range(limit + 1)]
        factor = steps.op("Gather", _table(steps, powers), amount)
        result = steps.op("Mul", x, factor)
    elif is_signed:
        result = _shifted_right(steps, x, amount)
    else:
        zero, one = steps.constant(0), steps.constant(1)
        is_zero = steps.op("Equal", amount, zero)
        others = steps.op("Max", steps.op("Sub", amount, one), zero)
        half = halved(steps, x, onnx.TensorProto.INT64)
        result = steps.op("Where", is_zero, x, _shifted_right(steps, half, others))
    steps.op("Cast", result, to=kind)


def _shifted_right(steps: Steps, x: str, amount: str) -> str:
    """`x`, of int64, by 0 to 63 bits, copies of its sign from the left."""
    first = [1 << n // 2 for n in range(_BITS)]
    second = [1 << n - n // 2 for n in range(_BITS)]
    for powers in (first, second):  # each fits into a signed number
        x = _floor_divided(steps, x, steps.op("Gather", _table(steps, powers), amount))
    return x


def _table(steps: Steps, powers: list[int]) -> str:
    return steps.constant(np.array(powers, np.uint64).astype(np.int64))


def _floor_divided(steps: Steps, x: str, power: str) -> str:
    """`x / power`, rounded down, where Div rounds to zero."""
    rest = steps.op("Mod", x, power)
    return steps.op("Div", steps.op("Sub", x, rest), power)


def bit_cast(steps: Steps) -> None:
    """True is 1 as a number, and all numbers but 0 are true."""
    x, kind = steps.node.input[0], steps.attribute("to")
    if onnx.TensorProto.BOOL in (kind, steps.graph.type_of(x).element):
        steps.op("Cast", x, to=kind)

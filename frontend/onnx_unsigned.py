"""ONNX nodes on unsigned numbers of 32 and 64 bits, by signed ones of the same bits.

Add, Mul, Gather, Equal, ...    -->   the same on signed numbers
Less(x, y), Max, TopK, ...      -->   the same once the first bit is flipped: 0 is the least again
Div(x, y), Mod(x, y)            -->   Div(x / 2, y) * 2, and 1 more where the rest is not below y
Abs(x), Sign(x)                 -->   x, x != 0

All others are refused: what they compute of 2^31 is not what they compute of -2^31.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import type_name
from niwaki.frontend.onnx_steps import Steps

SIGNED = {
    onnx.TensorProto.UINT32: onnx.TensorProto.INT32,
    onnx.TensorProto.UINT64: onnx.TensorProto.INT64,
}

_BY_ORDER = frozenset(
    (
        "ArgMax", "ArgMin", "Clip", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max",
        "Min", "ReduceMax", "ReduceMin", "TopK",
    )
)  # fmt: skip
_BY_BITS = frozenset(
    (
        "Add", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "CenterCropPad", "Col2Im",
        "Concat", "CumProd", "CumSum", "DepthToSpace", "Einsum", "Equal", "Expand", "Flatten",
        "Gather", "GatherElements", "GatherND", "Gemm", "MatMul", "Mul", "Pad", "ReduceProd",
        "ReduceSum", "ReduceSumSquare", "Reshape", "ReverseSequence", "ScatterElements",
        "ScatterND", "Slice", "SpaceToDepth", "Split", "Squeeze", "Sub", "TensorScatter", "Tile",
        "Transpose", "Trilu", "Unsqueeze", "Where",
    )
)  # fmt: skip


def rewritten(steps: Steps, kind: int) -> bool:
    """Whether there was a rule for a node on numbers of `kind`."""
    rule = _RULES.get(steps.node.op_type)
    if rule:
        rule(steps, kind)
    return rule is not None


def is_by_order(steps: Steps, kind: int) -> bool:
    """Whether the first bit of numbers of `kind` is to be flipped for a node.

    Raises:
        NiwakiError: the node is known neither with nor without.
    """
    op = steps.node.op_type
    if op in _BY_ORDER:
        return True
    if op in ("ScatterElements", "ScatterND"):
        return steps.attribute("reduction", "none") in ("max", "min")
    moves = op == "Resize" and steps.attribute("mode", "nearest") == "nearest"
    numbers_positions = (
        op == "OneHot" and steps.graph.type_of(steps.node.input[0]).element in SIGNED
    )
    if op in _BY_BITS or moves or (op == "OneHot" and not numbers_positions):
        return False
    raise steps.refused(
        f"computes with {type_name(kind)}, which is not supported", "cast it to int64 or float32"
    )


def flipped(steps: Steps, x: str, signed: int) -> str:
    """The numbers `x` in the order that they have without a sign, or back again."""
    return steps.op("Add", x, _least(steps, signed))


def halved(steps: Steps, x: str, signed: int) -> str:
    """Half of `x`, bits of an unsigned number; the half has no sign bit."""
    two, zero = (_number(steps, value, signed) for value in (2, 0))
    quarter = _number(steps, -(np.iinfo(_dtype(signed)).min // 2), signed)
    rest = steps.op("Div", steps.op("Sub", x, _least(steps, signed)), two)
    is_large = steps.op("Less", x, zero)
    return steps.op("Where", is_large, steps.op("Add", rest, quarter), steps.op("Div", x, two))


def _divide(steps: Steps, kind: int) -> None:
    """Of zero both quotient and rest are 0, as of signed numbers."""
    signed = SIGNED[kind]
    x, y = (steps.op("Cast", name, to=signed) for name in steps.node.input)
    zero, one, two = (_number(steps, value, signed) for value in (0, 1, 2))
    quotient = steps.op("Mul", steps.op("Div", halved(steps, x, signed), y), two)
    quotient = steps.op("Where", steps.op("Greater", y, zero), quotient, zero)
    rest = steps.op("Sub", x, steps.op("Mul", quotient, y))
    is_short = steps.op("GreaterOrEqual", flipped(steps, rest, signed), flipped(steps, y, signed))
    if steps.node.op_type == "Div":
        result = steps.op("Where", is_short, steps.op("Add", quotient, one), quotient)
    else:
        result = steps.op("Where", is_short, steps.op("Sub", rest, y), rest)
    result = steps.op("Where", steps.op("Equal", y, zero), zero, result)
    steps.op("Cast", result, to=kind)


def _same(steps: Steps, kind: int) -> None:
    """Of numbers that are never below 0."""
    steps.op("Identity", steps.node.input[0])


def _sign(steps: Steps, kind: int) -> None:
    is_more = steps.op("Cast", steps.node.input[0], to=onnx.TensorProto.BOOL)
    steps.op("Cast", is_more, to=kind)


def _sum(steps: Steps, kind: int) -> None:
    made = onnx.NodeProto()
    made.CopyFrom(steps.node)
    made.op_type = "ReduceSum"
    steps.nodes.append(made)


def _least(steps: Steps, signed: int) -> str:
    return _number(steps, np.iinfo(_dtype(signed)).min, signed)


def _number(steps: Steps, value: int, signed: int) -> str:
    return steps.constant(value, _dtype(signed))


def _dtype(signed: int) -> np.dtype[np.signedinteger]:
    return onnx.helper.tensor_dtype_to_np_dtype(signed)


_RULES: dict[str, Callable[[Steps, int], None]] = {
    "Abs": _same,
    "Div": _divide,
    "Mod": _divide,
    "PRelu": _same,
    "ReduceL1": _sum,
    "Sign": _sign,
}

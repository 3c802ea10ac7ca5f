"""Numbers of kernels and vectors of them: one word for both, lane by lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector


def lane_type(element: ir.Type, lanes: int) -> ir.Type:
    """`element` for one lane, a vector of them for more."""
    return element if lanes == 1 else ir.VectorType.get([lanes], element)


def lanes_of(value: ir.Value) -> int:
    """How many numbers a value has: those of a vector, or one."""
    return int(value.type.shape[0]) if isinstance(value.type, ir.VectorType) else 1


def in_type(kind: ir.Type, value: ir.Value) -> ir.Value:
    """A float or a vector of them, in a type of floats that is as wide or wider."""
    vectors = isinstance(value.type, ir.VectorType)
    wanted = lane_type(kind, value.type.shape[0]) if vectors else kind
    return value if value.type == wanted else arith.extf(wanted, value)


def cut(whole: ir.Value, lanes: int) -> list[ir.Value]:
    """A vector in parts of so many lanes, numbers for one; a number is its only part."""
    count = lanes_of(whole)
    if count == lanes:
        return [whole]
    if lanes == 1:
        return [vector.extract(whole, [], [lane]) for lane in range(count)]
    starts = range(0, count, lanes)
    return [vector.shuffle(whole, whole, [*range(at, at + lanes)]) for at in starts]


def splat(value: ir.Value, lanes: int) -> ir.Value:
    """A scalar in every lane."""
    return value if lanes == 1 else vector.broadcast(lane_type(value.type, lanes), value)


def every_second(pair: Sequence[ir.Value], first: int) -> ir.Value:
    """Of a pair of vectors, one behind the other, every second element from `first` on."""
    a, b = pair
    return vector.shuffle(a, b, [*range(first, 2 * lanes_of(a), 2)])


def join_strided(parts: Sequence[ir.Value], stride: int, lanes: int) -> ir.Value:
    """The vector of every `stride`-th element of what `load_strided_parts` loaded."""
    if len(parts) == 1:
        return parts[0]
    picks = [2 * i if 2 * i < lanes else lanes + 2 * i - (lanes - 1) for i in range(lanes)]
    return vector.shuffle(parts[0], parts[1], picks)


def float_constant(number: float, kind: ir.Type, lanes: int = 1) -> ir.Value:
    """A constant of a type of floats, in every lane."""
    scalar = ir.FloatAttr.get(kind, number)
    if lanes == 1:
        return arith.constant(kind, scalar)
    vectors = lane_type(kind, lanes)
    return arith.constant(vectors, ir.DenseElementsAttr.get_splat(vectors, scalar))


def zero(kind: ir.Type) -> ir.Value:
    """Zero of a type of floats, or of vectors of them."""
    if not isinstance(kind, ir.VectorType):
        return float_constant(0.0, kind)
    return float_constant(0.0, kind.element_type, kind.shape[0])


def select(condition: ir.Value, yes: ir.Value, no: ir.Value) -> ir.Value:
    """`yes` where the condition holds, lane by lane."""
    return arith.select(condition, yes, no)


def select_or_zero(condition: ir.Value, value: ir.Value) -> ir.Value:
    """`value` where the condition holds, zero elsewhere, lane by lane."""
    return select(condition, value, zero(value.type))


def float_maximum(a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    """The larger of two floats, lane by lane; NaN wins, as in PyTorch."""
    return _extremum("maximum", a, b, **flags)


def float_minimum(a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    """The smaller of two floats, lane by lane; NaN wins, as in PyTorch."""
    return _extremum("minimum", a, b, **flags)


def _extremum(name: str, a: ir.Value, b: ir.Value, **flags: Any) -> ir.Value:
    if isinstance(a.type, ir.VectorType) and isinstance(a.type.element_type, ir.F16Type):
        # One instruction on cores with arithmetic for f16, in the form that IREE 3.13 takes.
        return ir.Operation.create(f"llvm.intr.{name}", [a.type], [a, b]).result
    return {"maximum": arith.maximumf, "minimum": arith.minimumf}[name](a, b, **flags)


def fma(a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """a * b + c with one rounding."""
    if isinstance(a.type, ir.VectorType):
        return vector.fma(a, b, c)
    return ir.Operation.create("math.fma", [a.type], [a, b, c]).result

"""The values of an interpreted kernel: integers exactly, floats only as far as memory is concerned.

A value is an array whose first axis runs over the points at which its op is executed (each loop
iteration of each workgroup and thread) and whose second axis, for vectors, over lanes. Values that
are equal everywhere have a first axis of 1. Numbers are int64 or bool. Whatever is computed from
floats is int8 and holds one of three states, of which the largest survives arithmetic.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from numpy.typing import NDArray

Array = NDArray[Any]

ZERO = 0  # the constant zero, or what a select with a known condition took from it
DATA = 1  # something that was computed
GARBAGE = 2  # depends on memory that nobody has written


class Unsupported(Exception):
    """An op, or a use of one, that the interpreter does not know."""


def is_data(value: Array) -> bool:
    """Whether a value is known only by its states."""
    return value.dtype == np.int8


def states(*shape: int, state: int = DATA) -> Array:
    """Data of one state."""
    return np.full(shape, state, np.int8)


def _unsigned(operate: Callable[..., Any]) -> Callable[[Array, Array], Array]:
    """An operation on the same bits as unsigned numbers."""

    def apply(a: Array, b: Array) -> Array:
        return np.asarray(operate(a.astype(np.uint64), b.astype(np.uint64))).astype(np.int64)

    return apply


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.divui": _unsigned(np.floor_divide),
    "arith.remui": _unsigned(np.remainder),
    "arith.minsi": np.minimum,
    "arith.maxsi": np.maximum,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.index_cast": np.positive,
}

# By the number of the predicate; the last four compare as unsigned.
COMPARISONS: tuple[Callable[..., Any], ...] = (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.less, np.less_equal, np.greater, np.greater_equal,
)  # fmt: skip
FIRST_UNSIGNED = 6


def compute(op: Any, operands: Sequence[Array]) -> Array:
    """The result of an op without regions that touches no memory.

    Raises:
        Unsupported: the op makes numbers in a way that is not known here.
    """
    name, result = op.name, op.results[0].type
    if name == "arith.constant":
        return constant(op.attributes["value"])
    if name in REARRANGING:
        return REARRANGING[name](op, operands)
    if name == "arith.select":
        return select(*operands)
    if any(map(is_data, operands)) or holds_floats(result):
        return combined([value for value in operands if is_data(value)])
    if name == "arith.cmpi":
        return compare(ir.IntegerAttr(op.attributes["predicate"]).value, *operands)
    if name == "arith.index_castui":
        (number,), width = operands, ir.IntegerType(op.operands[0].type).width
        return np.asarray(number & (1 << width) - 1)
    if name in ("arith.trunci", "math.ctpop"):
        bits = operands[0] & (1 << ir.IntegerType(result).width) - 1
        return bits if name == "arith.trunci" else np.bitwise_count(bits).astype(np.int64)
    if name not in ARITHMETIC:
        raise Unsupported(f"{name} of numbers")
    return np.asarray(ARITHMETIC[name](*operands))


def holds_floats(kind: ir.Type) -> bool:
    """Whether a type is f16, f32, ..., or a vector of them."""
    shaped = isinstance(kind, ir.VectorType)
    return isinstance(ir.VectorType(kind).element_type if shaped else kind, ir.FloatType)


def combined(operands: Sequence[Array]) -> Array:
    """What arithmetic makes of data: no longer a known zero, garbage if any operand is."""
    return functools.reduce(np.maximum, operands, states(1)).astype(np.int8)


def constant(attribute: ir.Attribute) -> Array:
    """The value of a scalar or vector constant."""
    if isinstance(attribute, ir.DenseElementsAttr):
        values = np.asarray(attribute)[None]
    else:
        values = np.array([attribute.value])
    if values.dtype.kind == "f":
        return np.where(values == 0, ZERO, DATA).astype(np.int8)
    return values if values.dtype == np.bool_ else values.astype(np.int64)


def select(condition: Array, yes: Array, no: Array) -> Array:
    """One of two values, point by point and lane by lane."""
    if is_data(condition):
        return combined([condition, yes, no])
    if condition.ndim < yes.ndim:  # one bit for all lanes
        condition = condition[:, None]
    return np.where(condition, yes, no)


def compare(predicate: int, a: Array, b: Array) -> Array:
    """Compare numbers; unsigned ones are the same bits, so that a negative one is huge."""
    if predicate >= FIRST_UNSIGNED:
        a, b = a.astype(np.uint64), b.astype(np.uint64)
    return np.asarray(COMPARISONS[predicate](a, b))


def broadcast(op: Any, operands: Sequence[Array]) -> Array:
    """A scalar in every lane."""
    (scalar,) = operands
    return np.repeat(scalar[:, None], ir.VectorType(op.results[0].type).shape[0], axis=1)


def extract(op: Any, operands: Sequence[Array]) -> Array:
    """One lane of a vector."""
    (lane,) = ir.DenseI64ArrayAttr(op.attributes["static_position"])
    return operands[0][:, lane]


def from_elements(_: Any, operands: Sequence[Array]) -> Array:
    """A vector of scalars."""
    return np.stack(np.broadcast_arrays(*operands), axis=1)


def shuffle(op: Any, operands: Sequence[Array]) -> Array:
    """Lanes picked from two vectors."""
    points = max(len(value) for value in operands)
    both = [
        np.broadcast_to(value, (points, ir.VectorType(operand.type).shape[0]))
        for value, operand in zip(operands, op.operands, strict=True)
    ]
    return np.concatenate(both, axis=1)[:, list(ir.DenseI64ArrayAttr(op.attributes["mask"]))]


def bitcast(op: Any, operands: Sequence[Array]) -> Array:
    """The bits of a number as a mask, or as floats."""
    lanes = ir.VectorType(op.results[0].type).shape[0]
    if holds_floats(op.results[0].type):
        return states(len(operands[0]), lanes)
    return operands[0] >> np.arange(lanes) & 1 == 1


def reduction(_: Any, operands: Sequence[Array]) -> Array:
    """All lanes of a vector, which holds data, as one."""
    return combined([operands[0].max(axis=1), *operands[1:]])


REARRANGING: dict[str, Callable[[Any, Sequence[Array]], Array]] = {
    "vector.bitcast": bitcast,
    "vector.broadcast": broadcast,
    "vector.extract": extract,
    "vector.from_elements": from_elements,
    "vector.shuffle": shuffle,
    "vector.reduction": reduction,
}

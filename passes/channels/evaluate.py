"""Scalar code evaluated on constants: what an epilogue makes of a channel that holds one value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from ..raising.operands import scalar_constant

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Known:
    """The value of each slice of a tensor that holds one value everywhere.

    Attributes:
        values: f32 or bool; 0 where nothing is known.
        known: for which slices.
    """

    values: Array
    known: npt.NDArray[np.bool_]

    @property
    def is_zero(self) -> npt.NDArray[np.bool_]:
        """Which slices are known to be zero."""
        zero: npt.NDArray[np.bool_] = self.known & (self.values == 0)
        return zero

    @classmethod
    def nothing(cls, count: int) -> Known:
        """No slice is known."""
        return cls(np.zeros(count, np.float32), np.zeros(count, np.bool_))

    @classmethod
    def all(cls, values: Array) -> Known:
        """Every slice is known, unless it is NaN or infinite: zeros times these are not zero."""
        finite = np.isfinite(values)
        return cls(np.where(finite, values, values.dtype.type(0)), finite)

    @classmethod
    def uniform(cls, value: float, count: int) -> Known:
        """Every slice has one value."""
        return cls.all(np.full(count, value, np.float32))

    def only(self, known: npt.NDArray[np.bool_]) -> Known:
        """What is known here, of these slices."""
        both = self.known & known
        return Known(np.where(both, self.values, self.values.dtype.type(0)), both)


def _select(condition: Array, yes: Array, no: Array) -> Array:
    chosen: Array = np.asarray(np.where(condition, yes, no))
    return chosen


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.negf": np.negative,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.select": _select,
    "arith.andi": np.logical_and,
    "arith.ori": np.logical_or,
    "math.absf": np.abs,
    "math.erf": np.vectorize(math.erf, otypes=[np.float32]),
    "math.exp": np.exp,
    "math.expm1": np.expm1,
    "math.log": np.log,
    "math.log1p": np.log1p,
    "math.sqrt": np.sqrt,
    "math.tanh": np.tanh,
}

# Predicates of `arith.cmpf`. Known values are no NaN, so ordered and unordered ones are alike.
ORDERED = {
    1: np.equal,
    2: np.greater,
    3: np.greater_equal,
    4: np.less,
    5: np.less_equal,
    6: np.not_equal,
}
UNORDERED_FROM = 7


def evaluate(block: Any, given: Mapping[Any, Known], count: int) -> list[Known]:
    """What a block of scalar code ends with, for each of `count` slices.

    `given` has arguments and inner values that are known from outside; constants are looked up.
    """
    values = dict(given)

    def read(value: Any) -> Known:
        if value not in values:
            number = None if isinstance(value.owner, ir.Block) else scalar_constant(value)
            values[value] = Known.nothing(count) if number is None else Known.uniform(number, count)
        return values[value]

    *scalar, end = list(block.operations)
    for op in scalar:
        if op.operation.name != "arith.constant" and op.results[0] not in values:
            values[op.results[0]] = _apply(op, [read(operand) for operand in op.operands], count)
    return [read(operand) for operand in end.operands]


def _apply(op: Any, operands: list[Known], count: int) -> Known:
    function = _function(op)
    if function is None:
        return Known.nothing(count)
    with np.errstate(all="ignore"):
        values = function(*[operand.values for operand in operands])
    result = Known.all(values).only(reduce(np.logical_and, (o.known for o in operands)))
    if op.operation.name != "arith.mulf":
        return result
    zero = reduce(np.logical_or, (o.known & (o.values == 0) for o in operands))  # whatever it meets
    return Known(result.values, result.known | zero)


def _function(op: Any) -> Callable[..., Array] | None:
    """How to compute an op on arrays; None if it is not known, or not on f32 and booleans."""
    kind = op.results[0].type
    if not isinstance(kind, ir.F32Type) and not (
        isinstance(kind, ir.IntegerType) and kind.width == 1
    ):
        return None
    if op.operation.name != "arith.cmpf":
        return FUNCTIONS.get(op.operation.name)
    predicate = ir.IntegerAttr(op.operation.attributes["predicate"]).value
    return ORDERED.get(predicate - UNORDERED_FROM if predicate > UNORDERED_FROM else predicate)

"""Rows and columns taken by number, as one op: reflected borders, upsampling, cropping, rolling.

    result[image, channel, i, j] = input[image, channel, rows[i], columns[j]]

    positions = array<i64: 1, 0, 1, 2, 1,  0, 0, 1, 1>      3x2 pixels: twice as wide, and with a
                                                            reflected border above and below

The numbers of all spatial dimensions stand one behind the other: of each as many as the result has.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import shape_text
from .layout import layout_of
from .rules import reject, tensors_problem
from .sparse_pattern import SparsePattern, int_array, ints, is_int_array

RANKS = (3, 4, 5)  # with one to three spatial dimensions
ELEMENTS = ("f32", "f16")


class TakeOp(SparsePattern.Operation, name="take", traits=[ext.Pure]):
    """Images x channels x spatial, of which the result has any positions in any order."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    positions: Any

    def verify_region_invariants(self) -> bool:
        return reject(self, take_problem(self))


def build_take(
    input: ir.Value, positions: Sequence[Sequence[int]], result: ir.Type | None = None
) -> Any:
    """A `take` at the current insertion point and location, of a plain result if of no other."""
    kind = ir.RankedTensorType(input.type)
    shape = [*kind.shape[:2], *map(len, positions)]
    plain = ir.RankedTensorType.get(shape, kind.element_type)
    return ir.Operation.create(
        "sparse_pattern.take",
        results=[result or plain],
        operands=[input],
        attributes={"positions": int_array(itertools.chain(*positions))},
    ).opview


def positions_of(op: Any) -> list[list[int]]:
    """The numbers of each spatial dimension."""
    ends = np.cumsum(op.result.type.shape[2:])
    return [part.tolist() for part in np.split(np.array(ints(op.positions)), ends[:-1])]


def take_problem(op: TakeOp) -> str:
    """What is wrong with a `take`, empty if nothing is."""
    data, result = op.input.type, op.result.type
    if problem := tensors_problem(op):
        return problem
    if str(data.element_type) not in ELEMENTS or result.element_type != data.element_type:
        return f"makes {result.element_type} of {data.element_type}, but takes f32 or f16 as it is"
    return positions_problem(op)


def positions_problem(op: Any) -> str:
    """Checks of the positions that an op takes of its input."""
    data, result = op.input.type, op.result.type
    if data.rank not in RANKS or 0 in (*data.shape, *result.shape):
        return f"needs images x channels x one to three dimensions, got {shape_text(data)}"
    if result.rank != data.rank or list(result.shape[:2]) != list(data.shape[:2]):
        return f"has {shape_text(data)} as its input, but its result is {shape_text(result)}"
    layout = layout_of(data)
    if layout is not None and layout.split:
        return "has an input that is split into phases, from which nothing is taken"
    if not is_int_array(op.positions):
        return f"needs positions as an array of integers, got {op.positions}"
    if len(ints(op.positions)) != sum(result.shape[2:]):
        got, wanted = len(ints(op.positions)), sum(result.shape[2:])
        return f"has {got} positions for a result of {wanted} rows and columns"
    for size, numbers in zip(data.shape[2:], positions_of(op), strict=True):
        if min(numbers) < 0 or max(numbers) >= size:
            return f"takes positions {min(numbers)} to {max(numbers)} of {size}"
    return ""

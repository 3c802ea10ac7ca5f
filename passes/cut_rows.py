"""Cut the rows of a linear layer before they are reshaped, not behind.

    %y = "sparse_pattern.linear"(%x, %w) : 10x96                weights of queries, keys and values
    %0 = tensor.expand_shape %y : 2x5x3x4x8
    %q = tensor.extract_slice %0 [0, 0, 0, 0, 0] [2, 5, 1, 4, 8] [1, 1, 1, 1, 1]
      -->
    %0 = tensor.extract_slice %y [0, 0] [10, 32] [1, 1]
    %q = tensor.expand_shape %0 : 2x5x1x4x8

Transformers compute queries, keys and values by one layer. Cut before all else, each is a range of
its filters, and as small as its zeros allow. Where filters of several are mixed, as with queries,
keys and values head by head, or pairs of numbers that a rotary position turns, the layer gets
another order of filters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import LinearOp, ints

from .base import ModulePass, Session, constant, dense_value, erase_unused, function_ops
from .raising.moving import reshaped, transposed
from .views import MOVES, SLICE, View, view_of


@dataclass(frozen=True)
class Part:
    """A slice of a layer's filters.

    Attributes:
        op: the slice.
        view: what it is of the layer's result, if it were all of that.
        filters: which they are, in order.
    """

    op: Any
    view: View
    filters: list[int]


@dataclass(frozen=True)
class CutRowsPass(ModulePass):
    """Slices of what a linear layer gives are ranges of its filters."""

    name: ClassVar[str] = "sparse-pattern-cut-rows"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if isinstance(op, LinearOp) and (parts := parts_of(op)):
                order = [number for part in parts for number in part.filters]
                if order != sorted(order):
                    reorder(op, order)
                first = 0
                for part in parts:
                    cut(op, part, first)
                    first += len(part.filters)
        erase_unused(module)


def parts_of(op: LinearOp) -> list[Part]:
    """The slices that read a layer, if nothing else does and each filter is in one of them.

    None where filters would have to move that cannot.
    """
    slices = slices_behind(op.result) or []
    found = [part for each in slices if (part := part_of(op, each)) is not None]
    filters = [number for part in found for number in part.filters]
    whole = sorted(filters) == list(range(op.result.type.shape[1]))
    if len(found) < len(slices) or not whole:
        return []
    parts = sorted(found, key=lambda part: part.filters)
    as_it_is = sorted(filters) == [number for part in parts for number in part.filters]
    return parts if as_it_is or may_be_reordered(op) else []


def slices_behind(value: ir.Value) -> list[Any] | None:
    """Slices of what is made of `value` by moving its elements; None if other ops read it."""
    found: list[Any] = []
    for use in value.uses:
        reader = use.owner.opview
        if reader.operation.name == SLICE:
            found.append(reader)
        elif reader.operation.name in MOVES and use.operand_number == 0:
            further = slices_behind(reader.results[0])
            if further is None:
                return None
            found += further
        else:
            return None
    return found


def part_of(op: LinearOp, cut: Any) -> Part | None:
    """What a slice is of a layer's filters; None if it is another than of filters, for all rows."""
    view = view_of(cut.operands[0], slices=False)
    names = ("static_offsets", "static_sizes", "static_strides")
    offsets, sizes, steps = (ints(cut.attributes[name]) for name in names)
    if view.source != op.result or len(cut.operands) > 1:
        return None
    filters = op.result.type.shape[1]
    of_filters = [d for d, stride in enumerate(view.strides) if stride < filters]
    if any(sizes[d] != size for d, size in enumerate(view.sizes) if d not in of_filters):
        return None  # it leaves rows out
    if math.prod(view.sizes[d] for d in of_filters) != filters:
        return None  # a dimension of rows and filters
    numbers = np.zeros([1], np.int64)
    for d in of_filters:
        along = (offsets[d] + np.arange(sizes[d]) * steps[d]) * view.strides[d]
        numbers = np.add.outer(numbers, along).reshape(-1)
    strides = [step * stride for step, stride in zip(steps, view.strides, strict=True)]
    dims = list(zip(sizes, strides, strict=True))
    return Part(cut, View(op.result, 0, dims), sorted(int(number) for number in numbers))


def may_be_reordered(op: LinearOp) -> bool:
    """Whether what lists filters is constant."""
    values = [dense_value(value) for value in (op.weight, *op.per_filter)]
    return not len(op.per_position) and all(value is not None for value in values)


def reorder(op: LinearOp, order: list[int]) -> None:
    """Give a layer's filters another order."""
    with ir.InsertionPoint(op), op.location:
        for place, value in enumerate(op.operands):
            if place and (array := dense_value(value)) is not None:
                op.operation.operands[place] = constant(array[order])


def cut(op: LinearOp, part: Part, first: int) -> None:
    """Replace a slice by one of a layer's filters from `first` on."""
    rows, count = op.result.type.shape[0], len(part.filters)
    kind = ir.RankedTensorType.get([rows, count], op.result.type.element_type)
    with ir.InsertionPoint(part.op), part.op.location:
        own = tensor.ExtractSliceOp(kind, op.result, [], [], [], [0, first], [rows, count], [1, 1])
        order = part.view.by_stride()
        lying = reshaped(own.result, [part.view.sizes[d] for d in order])
        moved = transposed(lying, [int(d) for d in np.argsort(order)])
        part.op.result.replace_all_uses_with(reshaped(moved, part.op.result.type.shape))
    part.op.operation.erase()

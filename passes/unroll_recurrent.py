"""Unroll recurrent layers into their steps, where no kernel takes them.

    %y, %last = "sparse_pattern.recurrent"(%inputs, %weight, %states) ({ tanh(product + input) })
      -->
    %h0 = tensor.extract_slice %states[0, 0, 0] [1, 1, 64]
    %p0 = linalg.matmul ins(%h0, %weight)                          rows by rows
    %x0 = tensor.extract_slice %inputs[0, 0, 0] [1, 1, 64]
    %h1 = linalg.generic ins(%p0, %x0) { tanh(product + input) }
    %p1 = linalg.matmul ins(%h1, %weight)                          and so on

All steps read the same constants, so they become one layer that is called often. Late gates are a
second product at each step, of what the first part of the cell makes. What has a kernel stays as it
is; on GPUs that is what fits a workgroup, and is faster there than by dispatches for each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor

from niwaki.dialects import Recurrence, RecurrentOp, recurrence
from niwaki.targets import Target

from .base import ModulePass, Session, constant, dense_value, function_ops, target_of
from .families.thread_recurrence import why_not


@dataclass(frozen=True)
class UnrollRecurrentPass(ModulePass):
    """Make products and elementwise ops of recurrent layers.

    Attributes:
        always: also where there is a kernel, to compare it with.
    """

    name: ClassVar[str] = "sparse-pattern-unroll-recurrent"
    always: bool = False

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if isinstance(op, RecurrentOp) and (reason := self._reason(op, target_of(module))):
                steps = recurrence(op).steps
                self.remark(session, op, f"unrolled to {steps} step{'s' * (steps != 1)}: {reason}")
                with ir.InsertionPoint(op), op.location:
                    _unroll(op)
                op.operation.erase()

    def _reason(self, op: RecurrentOp, target: Target) -> str:
        """Why a layer gets no kernel; empty if it does."""
        if self.always:
            return "as it was told to be"
        element = op.weight.type.element_type
        if not isinstance(element, ir.F32Type):
            return f"it has elements of {element}, and kernels compute in f32"
        if target.backend == "gpu":
            return why_not(op, target)
        return "" if dense_value(op.weight) is not None else "its weights are not constant"


def _unroll(op: RecurrentOp) -> None:
    layer = Steps(op)
    states = [_part(op.states, number) for number in range(layer.sizes.states)]
    outputs: list[Any] = [None] * layer.sizes.steps
    times = range(layer.sizes.steps)
    for time in reversed(times) if op.reverse.value else times:
        outputs[time], states = layer.step(time, states)
    op.result.replace_all_uses_with(_stacked(outputs, op.result.type))
    op.last.replace_all_uses_with(_stacked(states, op.last.type))


class Steps:
    """The steps of a layer, which share what they read."""

    def __init__(self, op: RecurrentOp) -> None:
        self.op, self.cell = op, op.cell.blocks[0]
        self.sizes: Recurrence = recurrence(op)
        self.element = op.states.type.element_type
        rows = self.sizes.gates * self.sizes.units
        early = rows - self.sizes.late * self.sizes.units
        self.early = _rows(op.weight, 0, early)
        self.late = _rows(op.weight, early, rows) if self.sizes.late else None
        self.per_unit = [_part(p, i) for p in op.per_unit for i in range(self.sizes.per_unit)]

    def step(self, time: int, states: Sequence[ir.Value]) -> tuple[ir.Value, list[ir.Value]]:
        """What a step gives, and the states after it."""
        inputs = self._gates(_part(self.op.input, time))
        products = self._gates(self._product(states[0], self.early))
        if self.late is not None:
            others = [*products, *[None] * self.sizes.late, *inputs, *self.per_unit, *states]
            (factor,) = self._run(others, time, [self.sizes.states])
            products += self._gates(self._product(factor, self.late))
        values = [*products, *inputs, *self.per_unit, *states]
        if not self.op.lengths:
            made = self._run(values, time, range(self.sizes.states))
            return made[0], made
        output, *made = self._run(values, time, range(self.sizes.states), states)
        return output, made

    def _product(self, state: ir.Value, weight: ir.Value) -> ir.Value:
        shape = [self.sizes.batch, ir.RankedTensorType(weight.type).shape[0]]
        empty = tensor.EmptyOp(shape, self.element).result
        start = linalg.fill(arith.constant(self.element, 0.0), outs=[empty])
        sequence, row, unit = map(ir.AffineDimExpr.get, range(3))
        operands = ([sequence, unit], [row, unit], [sequence, row])
        maps = [ir.AffineMap.get(3, 0, loops) for loops in operands]
        return linalg.matmul(state, weight, outs=[start], indexing_maps=maps)

    def _gates(self, joined: ir.Value) -> list[ir.Value]:
        """The columns of each gate."""
        rows, columns = ir.RankedTensorType(joined.type).shape
        units = self.sizes.units
        if columns == units:
            return [joined]
        kind = ir.RankedTensorType.get([rows, units], self.element)
        return [
            _slice(joined, kind, [0, first], [rows, units]) for first in range(0, columns, units)
        ]

    def _run(
        self,
        values: Sequence[ir.Value | None],
        time: int,
        wanted: Sequence[int],
        kept: Sequence[ir.Value] = (),
    ) -> list[ir.Value]:
        """What the cell gives, `wanted` of it; nothing that is wanted needs values that are None.

        With `kept` states, sequences that are shorter than `time` keep these, and what the step
        gives, which then comes first, is zero for them.
        """
        given = [value for value in values if value is not None]
        outer = [*given, *(self.op.lengths if kept else ())]
        kind = ir.RankedTensorType.get([self.sizes.batch, self.sizes.units], self.element)
        count = len(wanted) + bool(kept)
        generic = linalg.GenericOp(
            [kind] * count,
            outer,
            [tensor.EmptyOp(kind.shape, self.element).result for _ in range(count)],
            ir.ArrayAttr.get([_map_of(value, self.op) for value in (*outer, *[None] * count)]),
            ir.ArrayAttr.parse(
                "[#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>]"
            ),
        )
        types = [ir.RankedTensorType(value.type).element_type for value in generic.operands]
        block = generic.regions[0].blocks.append(*types)
        with ir.InsertionPoint(block):
            scalars = iter(block.arguments)
            arguments = [value and next(scalars) for value in values]
            made = _copied(self.cell, arguments, wanted)
            if kept:
                made = _while_running(next(scalars), time, made, arguments[-len(kept) :])
            linalg.YieldOp(made)
        return list(generic.results)


def _copied(
    cell: Any, arguments: Sequence[ir.Value | None], wanted: Sequence[int]
) -> list[ir.Value]:
    """The code of a cell, as far as it depends on nothing that is None."""
    pairs = zip(cell.arguments, arguments, strict=True)
    values = {inner: outer for inner, outer in pairs if outer is not None}
    missing = {inner for inner, outer in zip(cell.arguments, arguments, strict=True) if not outer}
    *scalar, end = list(cell.operations)
    for op in scalar:
        if missing.intersection(op.operands):
            missing.update(op.results)
            continue
        copy = ir.Operation.create(
            op.operation.name,
            [result.type for result in op.results],
            [values.get(operand, operand) for operand in op.operands],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        values.update(zip(op.results, copy.results, strict=True))
    given = list(end.operands)
    return [values.get(given[number], given[number]) for number in wanted]


def _while_running(
    length: ir.Value, time: int, made: Sequence[ir.Value], kept: Sequence[ir.Value | None]
) -> list[ir.Value]:
    """What a step gives a sequence, and its states, which stay where it has ended."""
    now = arith.constant(length.type, time)
    runs = arith.cmpi(arith.CmpIPredicate.sgt, length, now)
    zero = arith.constant(made[0].type, 0.0)
    states = [arith.select(runs, new, old) for new, old in zip(made, kept, strict=True)]
    return [arith.select(runs, made[0], zero), *states]


def _map_of(value: ir.Value | None, op: RecurrentOp) -> ir.Attribute:
    """How a step reads an operand: by sequence and unit, by unit, or lengths by sequence."""
    sequence, unit = ir.AffineDimExpr.get(0), ir.AffineDimExpr.get(1)
    loops = [sequence, unit]
    if value is not None and ir.RankedTensorType(value.type).rank == 1:
        loops = [sequence] if value in list(op.lengths) else [unit]
    return ir.AffineMapAttr.get(ir.AffineMap.get(2, 0, loops))


def _rows(weight: ir.Value, first: int, end: int) -> ir.Value:
    """Rows of the weights, as a constant where they are one."""
    rows, columns = ir.RankedTensorType(weight.type).shape
    if (first, end) == (0, rows):
        return weight
    if (array := dense_value(weight)) is not None:
        return constant(array[first:end])
    kind = ir.RankedTensorType.get([end - first, columns], weight.type.element_type)
    return _slice(weight, kind, [first, 0], kind.shape)


def _part(value: ir.Value, number: int) -> ir.Value:
    """`value[number]`"""
    kind = ir.RankedTensorType(value.type)
    shape = kind.shape[1:]
    part = ir.RankedTensorType.get(shape, kind.element_type)
    return _slice(value, part, [number, *[0] * len(shape)], [1, *shape])


def _slice(
    value: ir.Value, kind: ir.RankedTensorType, first: Sequence[int], sizes: Sequence[int]
) -> ir.Value:
    steps = [1] * len(first)
    return tensor.ExtractSliceOp(kind, value, [], [], [], first, sizes, steps).result


def _stacked(parts: Sequence[ir.Value], kind: ir.RankedTensorType) -> ir.Value:
    """A tensor of `parts` along a new first dimension."""
    whole = tensor.EmptyOp(kind.shape, kind.element_type).result
    sizes, steps = [1, *kind.shape[1:]], [1] * kind.rank
    for number, part in enumerate(parts):
        first = [number, *[0] * (kind.rank - 1)]
        whole = tensor.InsertSliceOp(part, whole, [], [], [], first, sizes, steps).result
    return whole

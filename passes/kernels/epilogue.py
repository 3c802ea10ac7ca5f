"""An epilogue's scalar code, written out on vectors.

    %positive = arith.cmpf ugt, %x, %zero : f32
    %relu = arith.select %positive, %x, %zero : f32
      -->
    %relu = arith.maximumf %x, %zeros fastmath<nsz> : vector<16xf32>

What compares a value with a constant and selects one of the two is a clamp. Targets have minimum
and maximum that keep NaN, and take one instruction where comparison, logic on masks and selection
take up to five.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from .accesses import load
from .indices import Index
from .vectors import float_maximum, float_minimum, lane_type, splat

# Which of two zeros a clamp gives is of no consequence, and costs instructions to decide.
NO_SIGNED_ZEROS = arith.FastMathFlags.nsz
# Comparisons that pick the value where it is NaN, and those that do not pick the bound there.
_PICK_VALUE = {9: float_maximum, 10: float_maximum, 11: float_minimum, 12: float_minimum}
_PICK_BOUND = {2: float_minimum, 3: float_minimum, 4: float_maximum, 5: float_maximum}


@dataclass(frozen=True)
class Clamp:
    """`select(compare(value, bound), ...)` that is a minimum or maximum which keeps NaN."""

    build: Callable[..., ir.Value]
    operands: tuple[ir.Value, ir.Value]


@dataclass(frozen=True)
class Bias:
    """What an epilogue adds to a sum before all else, so that sums may begin with it.

    Attributes:
        number: of the operand per filter.
        total: what the epilogue calls the sum with it.
    """

    number: int
    total: ir.Value


def bias_of(block: ir.Block, per_filter: int) -> Bias | None:
    """An epilogue's bias, one of its `per_filter` operands of that kind, if it has one."""
    sums, *extras = block.arguments
    uses = list(sums.uses)
    if len(uses) != 1 or uses[0].owner.operation.name != "arith.addf":
        return None
    add = uses[0].owner
    (added,) = [operand for operand in add.operands if operand != sums]
    if added not in extras[:per_filter]:
        return None
    return Bias(extras.index(added), add.results[0])


def inline_epilogue(
    block: ir.Block, arguments: Sequence[ir.Value], lanes: int, bias: Bias | None = None
) -> ir.Value:
    """The epilogue's result: its scalar code on vectors.

    The first argument has the `bias` in it already, if there is one.
    """
    (result,) = inline_code(block, arguments, lanes, bias)
    return result


def inline_code(
    block: ir.Block, arguments: Sequence[ir.Value], lanes: int, bias: Bias | None = None
) -> list[ir.Value]:
    """What a region's scalar code ends with, on vectors; constants from around it are copied in."""
    values = dict(zip(block.arguments, arguments, strict=True))
    if bias is not None:
        values[bias.total] = arguments[0]

    def widened(kind: ir.Type) -> ir.Type:
        return lane_type(kind, lanes)

    def value_of(scalar: ir.Value) -> ir.Value:
        if scalar not in values:
            values[scalar] = widen_constant(scalar.owner.attributes["value"], lanes)
        return values[scalar]

    operations = list(block.operations)
    for op in operations[:-1]:
        if op.operation.name == "arith.constant":
            continue  # made where it is used
        if bias is not None and op.results[0] == bias.total:
            continue
        if clamp := _as_clamp(op):
            value, bound = map(value_of, clamp.operands)
            values[op.results[0]] = clamp.build(value, bound, fastmath=NO_SIGNED_ZEROS)
            continue
        copy = ir.Operation.create(
            op.operation.name,
            [widened(result.type) for result in op.results],
            [value_of(operand) for operand in op.operands],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        values[op.results[0]] = copy.results[0]
    return [value_of(operand) for operand in operations[-1].operands]


def sum_type(block: ir.Block) -> ir.Type:
    """The type in which a kernel adds up: that of the epilogue's accumulator."""
    return block.arguments[0].type


def finished(
    block: ir.Block,
    sums: ir.Value,
    per_filter: Sequence[ir.Value],
    per_position: Sequence[ir.Value],
    at: Index,
    lanes: int,
    bias: Bias | None = None,
) -> ir.Value:
    """The epilogue's result for neighbouring places of one channel, the first of them `at`.

    `per_filter` are numbers, or vectors for places of several filters; `per_position` are buffers.
    The `bias` is in the sums already, if there is one.
    """
    extras = [
        value if isinstance(value.type, ir.VectorType) else splat(value, lanes)
        for value in per_filter
    ]
    extras += [load(buffer, at, lanes) for buffer in per_position]
    return inline_epilogue(block, [sums, *extras], lanes, bias)


def _as_clamp(op: Any) -> Clamp | None:
    """The clamp that a select is part of, if it is one."""
    if op.operation.name != "arith.select" or isinstance(op.condition, ir.BlockArgument):
        return None
    compare = op.condition.owner
    if compare.operation.name != "arith.cmpf":
        return None
    value, bound = compare.operation.operands
    constant = None if isinstance(bound, ir.BlockArgument) else bound.owner.operation
    if constant is None or constant.name != "arith.constant" or value == bound:
        return None
    if math.isnan(ir.FloatAttr(constant.attributes["value"]).value):
        return None
    chosen = (op.true_value, op.false_value)
    table = {(value, bound): _PICK_VALUE, (bound, value): _PICK_BOUND}.get(chosen, {})
    build = table.get(ir.IntegerAttr(compare.operation.attributes["predicate"]).value)
    return None if build is None else Clamp(build, (value, bound))


def widen_constant(attribute: ir.Attribute, lanes: int) -> ir.Value:
    """A scalar constant in every lane."""
    kind = lane_type(attribute.type, lanes)
    return arith.constant(
        kind, attribute if lanes == 1 else ir.DenseElementsAttr.get_splat(kind, attribute)
    )

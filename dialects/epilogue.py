"""The epilogue region: scalar code that turns an accumulator into a result.

    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %1 = arith.addf %0, %residual : f32
      "sparse_pattern.yield"(%1) : (f32) -> ()

The first argument is the accumulator, of the input's element type or f32. The others are one value
of each operand `per_filter` (one value for each filter) and of each operand `per_position` (tensors
of the result's type: the value at the same position). Constants may come from outside.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .sparse_pattern import SparsePattern

EpilogueBuilder = Callable[[Sequence[ir.Value]], ir.Value]


class YieldOp(SparsePattern.Operation, name="yield", traits=[ir.IsTerminatorTrait]):
    """Ends an epilogue with the value that is stored."""

    value: ext.Operand[Any]


def add_epilogue(
    op: ir.Operation, element: ir.Type, extras: Sequence[ir.Value], build: EpilogueBuilder
) -> None:
    """Give `op`'s region its block; `build` gets accumulator and extras and returns the result."""
    types = [element, *(ir.RankedTensorType(extra.type).element_type for extra in extras)]
    block = op.regions[0].blocks.append(*types, arg_locs=[op.location] * len(types))
    with ir.InsertionPoint(block), op.location:
        YieldOp(build(list(block.arguments)))


def identity(arguments: Sequence[ir.Value]) -> ir.Value:
    """The epilogue that stores the accumulator as it is."""
    return arguments[0]


def epilogue_problem(op: Any, filters: int) -> str:
    """What is wrong with an op's epilogue, empty if nothing is."""
    return extras_problem(op, filters) or arguments_problem(op) or body_problem(op)


def extras_problem(op: Any, filters: int) -> str:
    """Checks of the operands that an epilogue reads."""
    result = op.results[0].type
    for extra in op.per_filter:
        if list(extra.type.shape) != [filters]:
            shape = shape_text(extra.type)
            return f"has an operand per filter of shape {shape} for {filters} filters"
    for extra in op.per_position:
        same = list(extra.type.shape) == list(result.shape)
        if not same or extra.type.encoding != result.encoding:
            return f"has an operand per position of type {extra.type} for a result of type {result}"
    return ""


def arguments_problem(op: Any) -> str:
    """Checks of an epilogue's arguments: the accumulator, then one for each operand."""
    if len(op.epilogue.blocks) != 1:
        return "needs an epilogue of one block"
    extras = [*op.per_filter, *op.per_position]
    arguments = list(op.epilogue.blocks[0].arguments)
    if len(arguments) != 1 + len(extras):
        got = f"{len(arguments)} arguments for an accumulator and {len(extras)} operands"
        return f"has an epilogue with {got}"
    # Sums may be kept in a wider type than what is added up.
    element, sums = op.input.type.element_type, arguments[0].type
    if sums != element and not isinstance(sums, ir.F32Type):
        return f"has an accumulator of type {sums} for an input of {element}"
    for argument, extra in zip(arguments[1:], extras, strict=True):
        if argument.type != extra.type.element_type:
            argument_type, operand_type = argument.type, extra.type
            return f"has an epilogue argument of {argument_type} for an operand of {operand_type}"
    return ""


def body_problem(op: Any) -> str:
    """Checks of an epilogue's code: scalar, on nothing but arguments and constants."""
    result, block = op.results[0].type, op.epilogue.blocks[0]
    *scalar, end = list(block.operations)
    if end.operation.name != "sparse_pattern.yield":
        return "has an epilogue that does not end in sparse_pattern.yield"
    for inner in scalar:
        if not inner.operation.name.startswith(("arith.", "math.")):
            return f"has {inner.operation.name} in its epilogue, where only arith and math may be"
    for inner in (*scalar, end):
        for value in inner.operands:
            if not is_available(value, block):
                return f"has an epilogue that uses a value from outside, of {value.type}"
    if end.operands[0].type != result.element_type:
        return f"yields {end.operands[0].type} for a result of {result.element_type}"
    return ""


def is_available(value: ir.Value, block: ir.Block) -> bool:
    """Whether an epilogue's code may use a value: of the block itself, or a constant."""
    owner = value.owner
    if isinstance(owner, ir.Block):
        return bool(owner == block)
    op = owner.operation
    return bool(op.block == block) or op.name == "arith.constant"


def shape_text(tensor: ir.RankedTensorType) -> str:
    """`1x64x56x56` for messages."""
    return "x".join(str(size) for size in tensor.shape) or "scalar"

"""The epilogue region: scalar code that turns an accumulator into a result.

    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %1 = arith.addf %0, %residual : f32
      "sparse_pattern.yield"(%1) : (f32) -> ()

The first argument is the accumulator, the others are one value of each operand `per_filter` (one value for each
filter) and of each operand `per_position` (tensors of the result's type: the value at the same position).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .dialect import SparsePattern

EpilogueBuilder = Callable[[Sequence[ir.Value]], ir.Value]


class YieldOp(SparsePattern.Operation, name="yield", traits=[ir.IsTerminatorTrait]):
    """Ends an epilogue with the value that is stored."""

    value: ext.Operand[Any]


def add_epilogue(op: ir.Operation, element: ir.Type, extras: Sequence[ir.Value], build: EpilogueBuilder) -> None:
    """Give `op`'s region its block; `build` gets accumulator and extra values and returns the result."""
    types = [element, *(ir.RankedTensorType(extra.type).element_type for extra in extras)]
    block = op.regions[0].blocks.append(*types, arg_locs=[op.location] * len(types))
    with ir.InsertionPoint(block), op.location:
        YieldOp(build(list(block.arguments)))


def identity(arguments: Sequence[ir.Value]) -> ir.Value:
    """The epilogue that stores the accumulator as it is."""
    return arguments[0]


def epilogue_problem(op: Any, filters: int) -> str:
    """What is wrong with an op's epilogue, empty if nothing is."""
    result = ir.RankedTensorType(op.results[0].type)
    for extra in op.per_filter:
        if list(extra.type.shape) != [filters]:
            return f"has an operand per filter of shape {shape_text(extra.type)} for {filters} filters"
    for extra in op.per_position:
        if list(extra.type.shape) != list(result.shape) or extra.type.encoding != result.encoding:
            return f"has an operand per position of type {extra.type} for a result of type {result}"
    if len(op.epilogue.blocks) != 1:
        return "needs an epilogue of one block"
    block = op.epilogue.blocks[0]
    extras = [*op.per_filter, *op.per_position]
    if len(block.arguments) != 1 + len(extras):
        return f"has an epilogue with {len(block.arguments)} arguments for an accumulator and {len(extras)} operands"
    for argument, extra in zip(list(block.arguments)[1:], extras, strict=True):
        if argument.type != extra.type.element_type:
            return f"has an epilogue argument of type {argument.type} for an operand of type {extra.type}"
    operations = list(block.operations)
    if not operations or operations[-1].operation.name != "sparse_pattern.yield":
        return "has an epilogue that does not end in sparse_pattern.yield"
    if operations[-1].operands[0].type != result.element_type:
        return f"yields {operations[-1].operands[0].type} for a result of {result.element_type}"
    return ""


def shape_text(tensor: ir.RankedTensorType) -> str:
    """`1x64x56x56` for messages."""
    return "x".join(str(size) for size in tensor.shape) or "scalar"

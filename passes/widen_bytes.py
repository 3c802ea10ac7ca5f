"""Keep booleans and bytes as words where a GPU's shaders store nothing smaller.

    %seen = linalg.generic ins(%ids) { arith.cmpi }                    tensor<3x5xi1>
    %y = linalg.generic ins(%seen, %x) { arith.select }
      -->
    %seen = linalg.generic ins(%ids) { arith.cmpi, arith.extui }       tensor<3x5xi32>
    %y = linalg.generic ins(%seen, %x) { arith.trunci, arith.select }

IREE packs four bytes into a word and drops what is left over, so that only tensors of a multiple of
four are right without this. Networks have others, as masks of odd lengths. Bodies compute what they
did: elements are widened where they are stored. The network's inputs and outputs keep their types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.targets import Target

from .base import ModulePass, Session, nested_ops, target_of
from .elementwise import mapped
from .storage import can_store, functions

# They move elements and read none: what they give has the type of what they take.
MOVES = (
    "linalg.broadcast",
    "linalg.fill",
    "linalg.transpose",
    "tensor.cast",
    "tensor.collapse_shape",
    "tensor.concat",
    "tensor.empty",
    "tensor.expand_shape",
    "tensor.extract_slice",
    "tensor.insert_slice",
)
KNOWN = (*MOVES, "arith.constant", "func.return", "linalg.generic", "tensor.extract", "tensor.pad")
WORD = 32


@dataclass(frozen=True)
class WidenBytesPass(ModulePass):
    """Tensors of booleans and bytes between ops become tensors of 32-bit integers."""

    name: ClassVar[str] = "sparse-pattern-widen-bytes"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        if not target.elements:
            return
        for function in functions(module):
            ops = [op for op in nested_ops(function) if narrow_tensors(op, target)]
            # Others may not take words: what they read stays, and is refused.
            known = all(op.operation.name in KNOWN for op in ops)
            kinds = [kind for op in ops for kind in narrow_tensors(op, target)]
            if known and not all(can_store(kind, target) for kind in kinds):
                widen(function, ops, target)


def narrow_tensors(op: Any, target: Target) -> list[ir.RankedTensorType]:
    """Of what an op reads and gives those whose elements shaders have no type for."""
    kinds = [value.type for value in (*op.operands, *op.results)]
    tensors = [kind for kind in kinds if isinstance(kind, ir.RankedTensorType)]
    return [kind for kind in tensors if is_narrow(kind.element_type, target)]


def is_narrow(kind: ir.Type, target: Target) -> bool:
    """Whether these are integers of less than a word, which shaders do not store."""
    if not isinstance(kind, ir.IntegerType) or kind.width >= WORD:
        return False
    return f"i{max(kind.width, 8)}" not in target.elements


def widen(function: Any, ops: list[Any], target: Target) -> None:
    """Keep as words what `ops` read and give, all that have such tensors."""
    block = function.regions[0].blocks[0]
    *_, end = block.operations
    returned = [value.type for value in end.operands]
    for op in ops:
        if op.operation.name != "func.return":
            widen_op(op, target)
    with ir.InsertionPoint.at_block_begin(block), function.location:
        for argument in block.arguments:
            kind = argument.type
            if isinstance(kind, ir.RankedTensorType) and is_narrow(kind.element_type, target):
                words = mapped(argument, word(), widened)
                argument.replace_all_uses_except(words, words.owner.operation)
    for number, kind in enumerate(returned):
        value = end.operands[number]
        if value.type != kind:
            with ir.InsertionPoint(end), value.location:
                cut = mapped(value, kind.element_type, cut_to(kind.element_type))
                end.operation.operands[number] = cut


def widen_op(op: Any, target: Target) -> None:
    """Give the tensors of an op words for elements; a body computes with what it had."""
    name = op.operation.name
    if name == "arith.constant":
        op.attributes["value"] = widened_constant(op.attributes["value"])
    elif name == "linalg.fill":
        with ir.InsertionPoint(op), op.location:
            op.operation.operands[0] = widened(op.operands[0])
    elif name == "tensor.extract":
        cut_at_once(op.results[0], ir.InsertionPoint.after(op))
        return
    for region in op.regions:
        widen_body(region.blocks[0], name in MOVES, target)
    for result in op.results:
        if is_narrow(result.type.element_type, target):
            result.set_type(ir.RankedTensorType.get(result.type.shape, word()))


def widen_body(block: ir.Block, moves: bool, target: Target) -> None:
    """Let a body read and yield words: as they are where it moves them, cut and widened else."""
    for argument in block.arguments:
        if is_narrow(argument.type, target):
            if moves:
                argument.set_type(word())
            else:
                cut_at_once(argument, ir.InsertionPoint.at_block_begin(block))
    *_, end = block.operations
    for number, value in enumerate(end.operands):
        if is_narrow(value.type, target):
            with ir.InsertionPoint(end), end.location:
                end.operation.operands[number] = widened(value)


def cut_at_once(value: Any, place: ir.InsertionPoint) -> None:
    """Make an element a word, of which its readers get what it was."""
    kind = value.type
    value.set_type(word())
    with place, value.location:
        cut = cut_to(kind)(value)
    value.replace_all_uses_except(cut, cut.owner.operation)


def word() -> ir.Type:
    return ir.IntegerType.get_signless(WORD)


def widened(value: ir.Value) -> ir.Value:
    """An element as a word."""
    return arith.extui(word(), value)


def cut_to(kind: ir.Type) -> Callable[[ir.Value], ir.Value]:
    """What makes an element of a word."""
    return lambda value: arith.trunci(kind, value)


def widened_constant(attribute: ir.Attribute) -> ir.Attribute:
    """The same bits in words."""
    values = np.asarray(attribute)
    words = values.view(f"u{values.itemsize}").astype(np.int32)
    return ir.DenseElementsAttr.get(np.asarray(words, order="C"))

"""Keep to the element types that the target's shaders can load, compute with and store.

    func.func @main(%ids: tensor<3x5xi64>) { %y = linalg.generic ins(%ids : tensor<3x5xi64>) {...} }
      -->
    func.func @main(%ids: tensor<3x5xi64>) {
      %words = "flow.tensor.bitcast"(%ids) : (tensor<3x5xi64>) -> tensor<3x5x2xi32>
      %low = tensor.extract_slice %words[0, 0, 0] [3, 5, 1] [1, 1, 1]
      %y = linalg.generic ins(%low : tensor<3x5xi32>) {...}
    }

Integers of 64 bits are mostly indices, and what they index has fewer than 2^31 elements: where
shaders lack them, 32 bits do. The network's own inputs and outputs keep their types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith, tensor

from niwaki.dialects import shape_text
from niwaki.targets import TARGETS, Target

from .base import (
    ModulePass,
    PassFailure,
    Session,
    constant_attribute,
    function_ops,
    is_private,
    target_of,
)
from .storage import can_store, functions, stored_as

I32 = np.iinfo(np.int32)
I64 = np.iinfo(np.int64)
# Between 32 and 64 bits these do nothing any more.
CASTS = ("arith.extsi", "arith.extui", "arith.trunci")


@dataclass(frozen=True)
class FitTypesPass(ModulePass):
    """Compute 64-bit integers in 32 bits where need be; refuse what shaders cannot store."""

    name: ClassVar[str] = "sparse-pattern-fit-types"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        if not target.elements:
            return
        if "i64" not in target.elements:
            for function in functions(module):
                narrow_function(function)
        check_storage(module, target)


def narrow_function(function: Any) -> None:
    """Make all 64-bit integers of a function 32-bit ones, but for its arguments and results."""
    block = function.regions[0].blocks[0]
    if is_private(function):
        narrow_part(function)
        return
    end = block.operations[len(block.operations) - 1]
    returned = [value.type for value in end.operands]
    for op in nested_ops(function):
        narrow_op(op)
    drop_casts(function)
    with ir.InsertionPoint.at_block_begin(block), function.location:
        for argument in block.arguments:
            if narrowed(argument.type) != argument.type:
                words, low = low_words(argument)
                argument.replace_all_uses_except(low, [words])
    with ir.InsertionPoint(end), end.location:
        for number, (value, kind) in enumerate(zip(end.operands, returned, strict=True)):
            if value.type != kind:
                end.operation.operands[number] = widened(value, kind)


def narrow_part(function: Any) -> None:
    """Make all 64-bit integers of a loop's body 32-bit ones: its calls have those types, too."""
    block = function.regions[0].blocks[0]
    for argument in block.arguments:
        argument.set_type(narrowed(argument.type))
    for op in nested_ops(function):
        narrow_op(op)
    drop_casts(function)
    end = block.operations[len(block.operations) - 1]
    types = [value.type for value in block.arguments], [value.type for value in end.operands]
    function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(*types))


def nested_ops(function: Any) -> list[Any]:
    """The ops of a function, those in regions of others included, but not itself."""
    found: list[Any] = []

    def collect(op: Any) -> Any:
        found.append(op)
        return ir.WalkResult.ADVANCE

    for op in function.regions[0].blocks[0].operations:
        op.operation.walk(collect)
    return found


def narrow_op(op: Any) -> None:
    """Give an op's results and the arguments of its regions 32-bit types."""
    for value in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.arguments)):
        if (kind := narrowed(value.type)) != value.type:
            value.set_type(kind)
    value = constant_attribute(op.results[0]) if op.name == "arith.constant" else None
    if value is not None:
        op.attributes["value"] = narrowed_constant(value, op.location)


def narrowed(kind: ir.Type) -> ir.Type:
    """A type with i32 for i64."""
    if isinstance(kind, ir.RankedTensorType):
        element = narrowed(kind.element_type)
        changed = element != kind.element_type
        return ir.RankedTensorType.get(kind.shape, element, kind.encoding) if changed else kind
    if isinstance(kind, ir.IntegerType) and kind.width == 64:
        return ir.IntegerType.get_signless(32)
    return kind


def narrowed_constant(attribute: ir.Attribute, location: ir.Location) -> ir.Attribute:
    """A constant's value with i32 for i64; the extremes, which stand for no value yet, stay so."""
    kind = narrowed(attribute.type)
    if kind == attribute.type:
        return attribute
    dense = isinstance(attribute, ir.DenseElementsAttr)
    values = np.asarray(attribute) if dense else np.array(attribute.value)
    fits = (values >= I32.min) & (values <= I32.max) | (values == I64.min) | (values == I64.max)
    if not fits.all():
        wide = values[~fits].flat[0]
        raise PassFailure(
            location, f"has the constant {wide}, but this target has integers of 32 bits"
        )
    narrow = np.clip(values, I32.min, I32.max).astype(np.int32)
    if not dense:
        return ir.IntegerAttr.get(kind, int(narrow))
    return ir.DenseElementsAttr.get(np.asarray(narrow, order="C"))


def drop_casts(function: Any) -> None:
    """Erase conversions between 32 and 64 bits, which have become conversions of i32 to i32."""
    for op in nested_ops(function):
        if op.name in CASTS and op.operands[0].type == op.results[0].type:
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()


def low_words(value: ir.Value) -> tuple[Any, ir.Value]:
    """An i64 tensor seen as pairs of words (the op that does it), and the lower word of each."""
    shape, kind = list(value.type.shape), narrowed(value.type)
    words = bitcast(value, ir.RankedTensorType.get([*shape, 2], kind.element_type))
    low = tensor.extract_slice(
        kind, words, [], [], [], [0] * (len(shape) + 1), [*shape, 1], [1] * (len(shape) + 1)
    )
    return words.owner.operation, low


def widened(value: ir.Value, kind: ir.Type) -> ir.Value:
    """An i32 tensor as i64: pairs of a word and its sign."""
    shape, word = list(value.type.shape), value.type.element_type
    bits = ir.DenseElementsAttr.get(np.full(shape, 31, np.int32))
    sign = arith.shrsi(value, arith.constant(value.type, bits))
    words = tensor.empty([*shape, 2], word)
    for place, part in enumerate((value, sign)):
        offsets, ones = [*[0] * len(shape), place], [1] * (len(shape) + 1)
        words = tensor.insert_slice(part, words, [], [], [], offsets, [*shape, 1], ones)
    return bitcast(words, kind)


def bitcast(value: ir.Value, kind: ir.Type) -> ir.Value:
    """The same bytes as a tensor of another type."""
    segments = ir.DenseI32ArrayAttr.get([1, 0, 0])
    attributes = {"operandSegmentSizes": segments}
    return ir.Operation.create("flow.tensor.bitcast", [kind], [value], attributes).result


def check_storage(module: Any, target: Target) -> None:
    """Refuse tensors of types that shaders cannot store.

    Raises:
        PassFailure: there is one, as an input of the network or as an op's result.
    """
    for function in functions(module):
        for value in function.regions[0].blocks[0].arguments:
            refuse(value.location, value.type, target, f"input {value.arg_number} is")
    for op in function_ops(module):
        if op.operation.name == "flow.tensor.bitcast":
            continue  # 64-bit integers, as the network's results
        for result in op.results:
            refuse(op.location, result.type, target, "computes")


def refuse(location: ir.Location, kind: ir.Type, target: Target, what: str) -> None:
    """Raise PassFailure if `kind` is a tensor that shaders of `target` cannot store."""
    if not isinstance(kind, ir.RankedTensorType) or can_store(kind, target):
        return
    stored, element = stored_as(kind), kind.element_type
    able = [other.name for other in TARGETS.values() if stored in other.elements]
    sizes = "a multiple of 4 elements, or " if stored == "i8" else ""
    raise PassFailure(
        location,
        f"{what} a tensor of {shape_text(kind)} {element}, which shaders of target '{target.name}'"
        f" cannot store: use {sizes}a target that can ({', '.join((*able, 'host'))})",
    )

"""Let layers read, write and keep their weights in a narrower type than f32.

    %y = "sparse_pattern.conv"(%x, %w, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) ...
    }) : (tensor<1x64x56x56xf32>, ...) -> tensor<1x64x56x56xf32>
      -->
    %h = arith.truncf %x : tensor<1x64x56x56xf32> to tensor<1x64x56x56xf16>
    %z = "sparse_pattern.conv"(%h, %w16, %bias16) ({
    ^bb0(%acc: f16, %b: f16):
      %0 = arith.addf %acc, %b : f16
      "sparse_pattern.yield"(%0) ...
    }) : (tensor<1x64x56x56xf16>, ...) -> tensor<1x64x56x56xf16>
    %y = arith.extf %z : tensor<1x64x56x56xf16> to tensor<1x64x56x56xf32>

An accumulator has the type in which the target computes: where it has no arithmetic for f16, sums
and epilogues stay f32 (`^bb0(%acc: f32, ...)`). So do those of filters with many weights. Casts
between two layers cancel each other, also through ops that only move numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import ConvOp, LinearOp, PoolOp, build_layer
from niwaki.elements import Element, get_element

from .base import (
    ModulePass,
    Session,
    constant,
    dense_value,
    erase_unused,
    function_ops,
    target_of,
)
from .layers import layer_weights

# Weights of a filter whose products are added up in f16; more are in f32. (With normal numbers the
# root of the mean square error of 576 is 0.25 % of that of their sum.)
MOST_COLUMNS = 576
# Ops that move numbers without computing any.
MOVES = ("tensor.collapse_shape", "tensor.concat", "tensor.expand_shape", "tensor.extract_slice")
TYPES = {"f16": ir.F16Type, "f32": ir.F32Type}
ARRAYS = {"f16": np.float16, "f32": np.float32}


@dataclass(frozen=True)
class NarrowElementsPass(ModulePass):
    """Layers of f32 become layers of `element`, as far as their numbers are within its range."""

    name: ClassVar[str] = "sparse-pattern-narrow-elements"
    element: str = "f16"

    def __post_init__(self) -> None:
        get_element(self.element)

    def run(self, module: Any, session: Session) -> None:
        target, element = target_of(module), get_element(self.element)
        target.check_precision(element)
        computed = target.vector(element).computed
        for op in function_ops(module):
            if op.operation.name in MOVES:
                move_narrow(op, element)
            elif isinstance(op, (ConvOp, LinearOp, PoolOp)):
                if problem := range_problem(op, element):
                    self.remark(session, op, f"stays f32: {problem}")
                    continue
                narrow(op, element, computed)
        erase_unused(module)


def range_problem(op: Any, element: Element) -> str:
    """Which number of a layer the element type cannot hold, empty if there is none."""
    arrays = [dense_value(value) for value in list(op.operands)[1:]]
    block = op.epilogue.blocks[0]
    used = {value for inner in block.operations for value in inner.operands}
    scalars = [value.owner.attributes["value"] for value in used if is_constant(value)]
    numbers = [np.asarray(one.value) for one in scalars if isinstance(one, ir.FloatAttr)]
    for array in (*(array for array in arrays if array is not None), *numbers):
        magnitudes = np.abs(array)
        largest = float(magnitudes.max(initial=0, where=np.isfinite(magnitudes)))
        if largest > element.largest:
            told = f"it has a number of magnitude {largest:.4g}"
            return f"{told}, and the largest of {element.name} is {element.largest:g}"
    return ""


def is_constant(value: ir.Value) -> bool:
    """Whether a value of an epilogue is a constant."""
    owner = value.owner
    return not isinstance(owner, ir.Block) and owner.operation.name == "arith.constant"


def narrow(op: Any, element: Element, computed: Element) -> None:
    """Put the narrow form of a layer in its place, with casts around it."""
    sums = computed.name if adds_up_narrow(op) else "f32"
    narrow_type, sum_type = TYPES[element.name].get(), TYPES[sums].get()
    with ir.InsertionPoint(op), op.location:
        weights = [narrowed(op.weight, element)] if not isinstance(op, PoolOp) else []
        per_position = [narrowed(value, element) for value in op.per_position]

        def epilogue(arguments: Sequence[ir.Value]) -> ir.Value:
            inputs = [cast(value, sum_type) for value in arguments]
            return cast(clone_as(op.epilogue.blocks[0], inputs, sum_type), narrow_type)

        made = build_layer(
            op.operation.name.partition(".")[2],
            with_elements(op.result.type, narrow_type),
            [narrowed(op.input, element), *weights],
            [with_sum_type(value, sums) for value in op.per_filter],
            per_position,
            epilogue,
            {name: op.attributes[name] for name in op.operation.attributes},
            accumulator=sum_type,
        )
        wide = arith.extf(op.result.type, made.result)
    op.result.replace_all_uses_with(wide)
    op.operation.erase()


def adds_up_narrow(op: Any) -> bool:
    """Whether sums may have the narrower type, if the target has arithmetic for it.

    Those of linear layers need not: they wait for weights. Nor do sums over windows, as in PyTorch.
    """
    if isinstance(op, PoolOp):
        return bool(op.kind.value == "max")
    kept = np.count_nonzero(layer_weights(op), axis=(1, 2)).max()
    return isinstance(op, ConvOp) and bool(kept <= MOST_COLUMNS)


def with_sum_type(value: ir.Value, sums: str) -> ir.Value:
    """An operand per filter in the type of sums; one that is computed stays f32."""
    array = dense_value(value)
    return value if array is None else constant(array.astype(ARRAYS[sums]))


def move_narrow(op: Any, element: Element) -> None:
    """Let an op that only moves numbers move narrow ones, where it gets nothing else."""
    kind, operands = TYPES[element.name].get(), list(op.operands)
    sources = [narrow_source(value, element) for value in operands]
    if any(source is None for source in sources):
        return
    with ir.InsertionPoint(op), op.location:
        made = ir.Operation.create(
            op.operation.name,
            [with_elements(op.results[0].type, kind)],
            [source for source in sources if source is not None],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        wide = arith.extf(op.results[0].type, made.result)
    op.results[0].replace_all_uses_with(wide)
    op.operation.erase()


def narrowed(value: ir.Value, element: Element) -> ir.Value:
    """A tensor in a narrower type: what was widened, a constant, or a cast."""
    source, array = narrow_source(value, element), dense_value(value)
    if source is not None:
        return source
    if array is not None:
        return constant(array.astype(ARRAYS[element.name]))
    return arith.truncf(with_elements(value.type, TYPES[element.name].get()), value)


def narrow_source(value: ir.Value, element: Element) -> ir.Value | None:
    """What a tensor was widened from; None if it was not."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != "arith.extf":
        return None
    source = owner.operands[0]
    kind = ir.RankedTensorType(source.type).element_type
    return source if kind == TYPES[element.name].get() else None


def with_elements(tensor: ir.Type, kind: ir.Type) -> ir.Type:
    """A tensor type of the same shape and encoding with other elements."""
    ranked = ir.RankedTensorType(tensor)
    return ir.RankedTensorType.get(ranked.shape, kind, ranked.encoding)


def cast(value: ir.Value, kind: ir.Type) -> ir.Value:
    """A float in another float type."""
    if value.type == kind:
        return value
    width = {ir.F16Type.get(): 16, ir.F32Type.get(): 32}
    return (arith.extf if width[value.type] < width[kind] else arith.truncf)(kind, value)


def clone_as(block: ir.Block, arguments: Sequence[ir.Value], kind: ir.Type) -> ir.Value:
    """An epilogue's code, written for f32, in another type; returns what it yields."""
    values = dict(zip(block.arguments, arguments, strict=True))

    def mapped(value: ir.Value) -> ir.Value:
        if value not in values:
            attribute = value.owner.attributes["value"]
            if isinstance(attribute, ir.FloatAttr):
                attribute = ir.FloatAttr.get(kind, attribute.value)
            values[value] = arith.constant(attribute.type, attribute)
        return values[value]

    *scalar, end = list(block.operations)
    for op in scalar:
        if op.operation.name == "arith.constant":
            continue  # made where it is used
        copy = ir.Operation.create(
            op.operation.name,
            [kind if isinstance(one.type, ir.F32Type) else one.type for one in op.results],
            [mapped(operand) for operand in op.operands],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        values[op.results[0]] = copy.results[0]
    return mapped(end.operands[0])

"""The narrow form of a layer, and marks that tell which layers have or may not have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import ConvOp, LinearOp, PoolOp, build_layer
from niwaki.elements import Element

from .base import WIDE_SUMS, constant, dense_value, function_ops, nested_ops, target_of
from .layers import layer_weights

LAYERS = (ConvOp, LinearOp, PoolOp)
CASTS = ("arith.extf", "arith.truncf")
# Why a layer is to stay as it is.
STAYS_WIDE = "sparse_pattern.stays_wide"
# The type that the network itself has a layer in.
NARROW = "sparse_pattern.narrow"
# Ops that move numbers without computing any.
MOVES = (
    "sparse_pattern.take", "tensor.collapse_shape", "tensor.concat", "tensor.expand_shape",
    "tensor.extract_slice",
)  # fmt: skip
# Weights of a filter whose products are added up in f16; more are in f32. (With normal numbers the
# root of the mean square error of 576 is 0.25 % of that of their sum.)
MOST_COLUMNS = 576
TYPES = {"f16": ir.F16Type, "f32": ir.F32Type}
ARRAYS = {"f16": np.float16, "f32": np.float32}


def choose_sums(module: Any, element: Element) -> Element:
    """Decide in which type narrow layers of a network add up, for all passes that follow.

    It is f32 where other ops compute in the narrow type, too: such networks are made for PyTorch's
    sums, which are f32. And with arithmetic of that type IREE would have the other ops take what is
    below the smallest normal number for 0 on ARM, the usual epsilon of 1e-5 among it.
    """
    others = [op for op in function_ops(module) if not isinstance(op, LAYERS)]
    scalar = (inner for op in others for inner in (op, *nested_ops(op)))
    if element in target_of(module).computes and any(computes_in(op, element) for op in scalar):
        module.attributes[WIDE_SUMS] = ir.UnitAttr.get(module.context)
    return target_of(module).vector(element).computed


def computes_in(op: Any, element: Element) -> bool:
    """Whether an op is arithmetic in a type."""
    is_arithmetic = op.operation.name.startswith(("arith.", "math."))
    moves = op.operation.name in (*CASTS, "arith.select", "arith.bitcast")
    kinds = {getattr(value.type, "element_type", value.type) for value in op.operands}
    return is_arithmetic and not moves and TYPES[element.name].get() in kinds


def narrowable(module: Any, element: Element) -> list[Any]:
    """The layers that may have the element type, in program order."""
    layers = [op for op in function_ops(module) if isinstance(op, LAYERS)]
    return [op for op in layers if not problem_of(op, element)]


def mark_wide(layers: Sequence[Any], reasons: Mapping[int, str]) -> None:
    """Let the layers whose numbers have reasons stay as they are, and no others."""
    for number, op in enumerate(layers):
        if number in reasons:
            op.attributes[STAYS_WIDE] = ir.StringAttr.get(reasons[number], op.context)
        elif STAYS_WIDE in op.attributes:
            del op.attributes[STAYS_WIDE]


def mark_narrow(op: Any, element: Element) -> None:
    """Note that the network itself has a layer in a narrower type."""
    op.attributes[NARROW] = ir.TypeAttr.get(TYPES[element.name].get())


def is_marked_narrow(op: Any, element: Element) -> bool:
    """Whether the network itself has a layer in a type."""
    if NARROW not in op.attributes:
        return False
    return bool(ir.TypeAttr(op.attributes[NARROW]).value == TYPES[element.name].get())


def problem_of(op: Any, element: Element) -> str:
    """Why a layer stays f32, empty if it need not."""
    if STAYS_WIDE in op.attributes:
        return str(ir.StringAttr(op.attributes[STAYS_WIDE]).value)
    if isinstance(op, PoolOp) and has_plain_sums(op) and not is_marked_narrow(op, element):
        return f"its sums may be beyond the range of {element.name}, whatever follows"
    return range_problem(op, element)


def has_plain_sums(op: Any) -> bool:
    """Whether a pooling stores sums as they are; what makes averages of them may follow."""
    first = next(iter(op.epilogue.blocks[0].operations))
    return bool(op.kind.value == "sum" and first.operation.name == "sparse_pattern.yield")


def range_problem(op: Any, element: Element) -> str:
    """Which number of a layer the element type cannot hold, empty if there is none."""
    arrays = [dense_value(value) for value in list(op.operands)[1:]]
    block = op.epilogue.blocks[0]
    used = {value for inner in block.operations for value in inner.operands}
    scalars = [value.owner.attributes["value"] for value in used if is_constant(value)]
    numbers = [np.asarray(one.value) for one in scalars if isinstance(one, ir.FloatAttr)]
    return largest_problem([*(array for array in arrays if array is not None), *numbers], element)


def weights_problem(op: Any, element: Element) -> str:
    """Which weight of a recurrent layer the element type cannot hold, empty if there is none."""
    return largest_problem([layer_weights(op)], element)


def largest_problem(arrays: Sequence[npt.NDArray[Any]], element: Element) -> str:
    """Which number of `arrays` the element type cannot hold, empty if there is none."""
    for array in arrays:
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


def narrow_form(op: Any, element: Element, computed: Element) -> ir.Value:
    """Put the narrow form of a layer before it, with casts around; returns its result in f32."""
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
        return arith.extf(op.result.type, made.result)


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
    """Scalar code on floats with all of them in one type; returns what it yields."""
    floats = (ir.F16Type, ir.F32Type)
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
        if op.operation.name in CASTS and isinstance(op.operands[0].type, floats):
            values[op.results[0]] = mapped(op.operands[0])
            continue
        copy = ir.Operation.create(
            op.operation.name,
            [kind if isinstance(one.type, floats) else one.type for one in op.results],
            [mapped(operand) for operand in op.operands],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        values[op.results[0]] = copy.results[0]
    return mapped(end.operands[0])

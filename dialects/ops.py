"""The layers of the dialect in logical form: weights are dense constants that carry a scheme.

Activations are images x channels x spatial (one to three spatial dimensions), weights filters x channels of one group
x kernel. `padding` lists the zeros before each spatial dimension, then those after each.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .dialect import SparsePattern, int_array, int_attr, ints, is_int_array
from .epilogue import EpilogueBuilder, add_epilogue, epilogue_problem, shape_text
from .layout import layout_of
from .schemes import is_scheme


def reject(op: Any, problem: str) -> bool:
    """Report `problem` at the op, worded as MLIR words its own; returns False if there is one."""
    if problem:
        op.location.emit_error(f"'{op.operation.name}' op {problem}")
    return not problem


class ConvOp(SparsePattern.Operation, name="conv", traits=[ext.Pure]):
    """Convolution (cross-correlation, as PyTorch's) with an epilogue."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    weight: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    strides: Any
    dilations: Any
    padding: Any
    groups: ir.IntegerAttr
    scheme: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, conv_problem(self))


class LinearOp(SparsePattern.Operation, name="linear", traits=[ext.Pure]):
    """Rows x inputs times the transpose of filters x inputs, with an epilogue."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    weight: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    scheme: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, linear_problem(self))


class PoolOp(SparsePattern.Operation, name="pool", traits=[ext.Pure]):
    """Maximum or sum over windows, with an epilogue (an average divides there).

    Padding counts as minus infinity for `max` and as zero for `sum`. A window that spans the whole input may drop the
    spatial dimensions from the result.
    """

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    kind: ir.StringAttr
    kernel: Any
    strides: Any
    dilations: Any
    padding: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, pool_problem(self))


class ConvertLayoutOp(SparsePattern.Operation, name="convert_layout", traits=[ext.Pure]):
    """The same values in another layout: plain to planar, planar to plain, or planar to planar with phases."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]

    def verify_region_invariants(self) -> bool:
        return reject(self, convert_layout_problem(self))


def build_conv(
    result: ir.Type,
    input: ir.Value,
    weight: ir.Value,
    per_filter: Sequence[ir.Value],
    per_position: Sequence[ir.Value],
    epilogue: EpilogueBuilder,
    *,
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Sequence[int],
    groups: int,
    scheme: ir.Attribute,
) -> Any:
    """A `conv` at the current insertion point and location."""
    attributes = {
        "strides": int_array(strides),
        "dilations": int_array(dilations),
        "padding": int_array(padding),
        "groups": int_attr(groups),
        "scheme": scheme,
    }
    return build_layer("conv", result, [input, weight], per_filter, per_position, epilogue, attributes)


def build_linear(
    result: ir.Type,
    input: ir.Value,
    weight: ir.Value,
    per_filter: Sequence[ir.Value],
    per_position: Sequence[ir.Value],
    epilogue: EpilogueBuilder,
    *,
    scheme: ir.Attribute,
) -> Any:
    """A `linear` at the current insertion point and location."""
    return build_layer("linear", result, [input, weight], per_filter, per_position, epilogue, {"scheme": scheme})


def build_pool(
    result: ir.Type,
    input: ir.Value,
    per_filter: Sequence[ir.Value],
    per_position: Sequence[ir.Value],
    epilogue: EpilogueBuilder,
    *,
    kind: str,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Sequence[int],
) -> Any:
    """A `pool` at the current insertion point and location."""
    attributes = {
        "kind": ir.StringAttr.get(kind),
        "kernel": int_array(kernel),
        "strides": int_array(strides),
        "dilations": int_array(dilations),
        "padding": int_array(padding),
    }
    return build_layer("pool", result, [input], per_filter, per_position, epilogue, attributes)


def build_layer(
    name: str,
    result: ir.Type,
    fixed: Sequence[ir.Value],
    per_filter: Sequence[ir.Value],
    per_position: Sequence[ir.Value],
    epilogue: EpilogueBuilder,
    attributes: dict[str, ir.Attribute],
) -> Any:
    """A layer op called `name` with its epilogue; `build_conv` and the like know which attributes it needs."""
    segments = [*[1] * len(fixed), len(per_filter), len(per_position)]
    op = ir.Operation.create(
        f"sparse_pattern.{name}",
        results=[result],
        operands=[*fixed, *per_filter, *per_position],
        attributes={**attributes, "operandSegmentSizes": ir.DenseI32ArrayAttr.get(segments)},
        regions=1,
    )
    element = ir.RankedTensorType(fixed[0].type).element_type
    add_epilogue(op, element, [*per_filter, *per_position], epilogue)
    return op.opview


def window_problem(op: Any, kernel: Sequence[int]) -> str:
    """Checks shared by everything that slides a window: attribute lengths and the result's spatial sizes."""
    spatial = ir.RankedTensorType(op.input.type).shape[2:]
    rank = len(spatial)
    if not 1 <= rank <= 3:
        return f"needs one to three spatial dimensions, got an input of rank {rank + 2}"
    for name, length in (("strides", rank), ("dilations", rank), ("padding", 2 * rank)):
        attribute = op.attributes[name]
        if not is_int_array(attribute) or len(ints(attribute)) != length:
            return f"needs {length} {name} for {rank} spatial dimensions, got {attribute}"
        if min(ints(attribute)) < (0 if name == "padding" else 1):
            return f"needs {name} that are not {'negative' if name == 'padding' else 'below 1'}, got {attribute}"
    if len(kernel) != rank:
        return f"has a kernel of {len(kernel)} dimensions for {rank} spatial dimensions"
    expected = window_sizes(spatial, kernel, ints(op.strides), ints(op.dilations), ints(op.padding))
    if min(expected) < 1:
        return f"has a window larger than its padded input of {shape_text(op.input.type)}"
    result = list(op.result.type.shape[2:])
    whole = not result and all(size == 1 for size in expected)
    if result != expected and not whole:
        return f"computes spatial sizes {expected}, but its result has {result}"
    return ""


def window_sizes(
    spatial: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Sequence[int],
) -> list[int]:
    """Spatial sizes of the result of a sliding window."""
    rank = len(spatial)
    return [
        (spatial[i] + padding[i] + padding[rank + i] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1
        for i in range(rank)
    ]


def conv_problem(op: ConvOp) -> str:
    """What is wrong with a `conv`, empty if nothing is."""
    data, weight, result = op.input.type, op.weight.type, op.result.type
    if not is_scheme(op.scheme):
        return f"needs a scheme of this dialect, got {op.scheme}"
    if weight.rank != data.rank or result.rank != data.rank:
        return f"needs input, weight and result of one rank, got {data.rank}, {weight.rank} and {result.rank}"
    if problem := window_problem(op, weight.shape[2:]):
        return problem
    groups = op.groups.value
    if groups < 1 or data.shape[1] % groups or weight.shape[0] % groups:
        return f"has {groups} groups, which do not divide {data.shape[1]} channels and {weight.shape[0]} filters"
    if weight.shape[1] * groups != data.shape[1]:
        return f"has weights for {weight.shape[1] * groups} channels, but its input has {data.shape[1]}"
    if result.shape[:2] != [data.shape[0], weight.shape[0]]:
        return f"has {weight.shape[0]} filters on {data.shape[0]} images, but its result is {shape_text(result)}"
    if problem := conv_layout_problem(op):
        return problem
    return epilogue_problem(op, weight.shape[0])


def conv_layout_problem(op: Any) -> str:
    """Checks of a convolution on planar activations: one-dimensional means equal pitches and split phases."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    if source is None and target is None:
        return ""
    if source is None or target is None:
        return "needs both its input and its result in planar layout, or neither"
    if source.pitches != target.pitches:
        return f"reads pitches {list(source.pitches)} but writes pitches {list(target.pitches)}"
    if source.strides != ints(op.strides):
        return f"has strides {list(ints(op.strides))} but reads phases of {list(source.strides)}"
    return ""


def linear_problem(op: LinearOp) -> str:
    """What is wrong with a `linear`, empty if nothing is."""
    data, weight, result = op.input.type, op.weight.type, op.result.type
    if not is_scheme(op.scheme):
        return f"needs a scheme of this dialect, got {op.scheme}"
    if (data.rank, weight.rank, result.rank) != (2, 2, 2):
        return f"needs input, weight and result of rank 2, got {data.rank}, {weight.rank} and {result.rank}"
    if weight.shape[1] != data.shape[1]:
        return f"has weights for {weight.shape[1]} inputs, but its input has {data.shape[1]}"
    if result.shape != [data.shape[0], weight.shape[0]]:
        return f"has {weight.shape[0]} filters on {data.shape[0]} rows, but its result is {shape_text(result)}"
    return epilogue_problem(op, weight.shape[0])


def pool_problem(op: PoolOp) -> str:
    """What is wrong with a `pool`, empty if nothing is."""
    if op.kind.value not in ("max", "sum"):
        return f"needs kind max or sum, got {op.kind.value}"
    if not is_int_array(op.kernel):
        return f"needs a kernel as an array of integers, got {op.kernel}"
    if problem := window_problem(op, ints(op.kernel)):
        return problem
    if op.result.type.shape[:2] != op.input.type.shape[:2]:
        return f"has {shape_text(op.input.type)} as its input, but its result is {shape_text(op.result.type)}"
    return epilogue_problem(op, op.input.type.shape[1])


def convert_layout_problem(op: ConvertLayoutOp) -> str:
    """What is wrong with a `convert_layout`, empty if nothing is."""
    source, result = op.input.type, op.result.type
    if source.shape != result.shape or source.element_type != result.element_type:
        return f"changes {source} into {result}, but only the layout may change"
    for tensor in (source, result):
        layout = layout_of(tensor)
        if layout is None:
            continue
        if problem := layout.problem():
            return f"has a planar layout that {problem}"
        covered = [-(-size // stride) for size, stride in zip(tensor.shape[2:], layout.strides, strict=False)]
        if list(layout.sizes) != covered:
            return f"has a planar layout of {list(layout.sizes)} for spatial sizes {covered}"
    return ""

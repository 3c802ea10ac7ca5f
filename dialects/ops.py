"""The layers of the dialect in logical form: weights are dense constants that carry a scheme.

Activations are images x channels x spatial (one to three spatial dimensions), weights filters x
channels of one group x kernel. `padding` lists the zeros before each spatial dimension, then those
after each.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import EpilogueBuilder, add_epilogue
from .rules import (
    concat_problem,
    conv_problem,
    convert_layout_problem,
    linear_problem,
    pool_problem,
    reject,
)
from .sparse_pattern import SparsePattern, int_array, int_attr


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

    Padding counts as minus infinity for `max` and as zero for `sum`. A window that spans the whole
    input may drop the spatial dimensions from the result.
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
    """The same values in another layout: plain to planar, planar to plain, or planar to phases."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]

    def verify_region_invariants(self) -> bool:
        return reject(self, convert_layout_problem(self))


class ConcatOp(SparsePattern.Operation, name="concat", traits=[ext.Pure]):
    """The channels of one activation, then those of another one of the same layout.

    More than two are joined by several ops: a list of operands must be of one type.
    """

    result: ext.Result[ir.RankedTensorType]
    first: ext.Operand[ir.RankedTensorType]
    second: ext.Operand[ir.RankedTensorType]

    def verify_region_invariants(self) -> bool:
        return reject(self, concat_problem(self))


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
    return build_layer(
        "conv", result, [input, weight], per_filter, per_position, epilogue, attributes
    )


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
    return build_layer(
        "linear", result, [input, weight], per_filter, per_position, epilogue, {"scheme": scheme}
    )


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
    accumulator: ir.Type | None = None,
) -> Any:
    """A layer op called `name` with its epilogue; it needs the attributes `build_conv` gives.

    Its accumulator is of the input's element type, unless another one is given.
    """
    segments = [*[1] * len(fixed), len(per_filter), len(per_position)]
    op = ir.Operation.create(
        f"sparse_pattern.{name}",
        results=[result],
        operands=[*fixed, *per_filter, *per_position],
        attributes={**attributes, "operandSegmentSizes": ir.DenseI32ArrayAttr.get(segments)},
        regions=1,
    )
    element = ir.RankedTensorType(fixed[0].type).element_type
    add_epilogue(op, accumulator or element, [*per_filter, *per_position], epilogue)
    return op.opview

"""The layers in packed form: values and index arrays as operands, and a chosen kernel.

`values`: the kept weights, block after block, each a columns x filters matrix.
`offsets`, an array of i32: for each kept column where it is read: for a convolution the distance
from an image's output pixel to the input value in the flat planar buffer, for a linear layer the
number of the input. As an array of i16, unsigned, it has steps of the layer's grid of columns
instead (`column_grid` in `passes/layers.py`), for a linear layer the same numbers.
`blocks`, blocks x 4 of i32: first filter, first and last + 1 entry in `offsets`, first entry in
`values`. Blocks of the kernel's full height come first, lower ones (what is left of a group of
filters) after them. For a kernel of single filters, the channels are cut into parts: all filters
have a block with the columns of the first part, then all have one with those of the second.

A linear layer's or recurrent kernel with several `bands` cuts the columns into as many. In each a
block stores the filters that keep something, columns x kept filters; in `offsets` two numbers stand
before the columns of a band: how many there are, and which filters are kept, as bits from the
lowest on. `values` then ends with as many more as a vector has.

`offsets` ends with `LOOKAHEAD` entries more than there are columns: kernels fetch a column ahead of
using it, also past the last one, and these make that harmless.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import epilogue_problem
from .kernels import kernel_problem
from .panels import rows_problem
from .rules import (
    array_types_problem,
    packed_planar_problem,
    packed_shapes_problem,
    reject,
    tensors_problem,
    window_problem,
)
from .schemes import scheme_problem
from .sparse_pattern import SparsePattern, ints

LOOKAHEAD = 6
BAND_HEAD = 2  # numbers before the columns of a band


class PackedConvOp(SparsePattern.Operation, name="packed_conv", traits=[ext.Pure]):
    """A convolution on planar activations.

    `kernel_size` is that of the dense layer, `full_blocks` how many blocks are of full height.
    """

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    values: ext.Operand[ir.RankedTensorType]
    offsets: ext.Operand[ir.RankedTensorType]
    blocks: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    strides: Any
    dilations: Any
    padding: Any
    groups: ir.IntegerAttr
    kernel_size: Any
    scheme: Any
    kernel: Any
    full_blocks: ir.IntegerAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_conv_problem(self))


class PackedLinearOp(SparsePattern.Operation, name="packed_linear", traits=[ext.Pure]):
    """A linear layer on rows x inputs."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    values: ext.Operand[ir.RankedTensorType]
    offsets: ext.Operand[ir.RankedTensorType]
    blocks: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    scheme: Any
    kernel: Any
    full_blocks: ir.IntegerAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_linear_problem(self))


def packed_conv_problem(op: PackedConvOp) -> str:
    """What is wrong with a `packed_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or packed_problem(op):
        return problem
    if problem := window_problem(op, ints(op.kernel_size)) or packed_planar_problem(op):
        return problem
    if problem := parts_problem(op):
        return problem
    return epilogue_problem(op, op.result.type.shape[1])


def parts_problem(op: PackedConvOp) -> str:
    """What is wrong with the blocks of a kernel that takes them in parts, empty if nothing is."""
    filters, parts = op.result.type.shape[1], getattr(op.kernel.tile, "parts", 0)
    if parts == 0 or op.blocks.type.shape[0] == parts * filters:
        return ""
    return f"needs {parts} parts of {filters} blocks each, got {op.blocks.type}"


def packed_linear_problem(op: PackedLinearOp) -> str:
    """What is wrong with a `packed_linear`, empty if nothing is."""
    if problem := rows_problem(op) or packed_problem(op):
        return problem
    return epilogue_problem(op, op.result.type.shape[1])


def packed_problem(op: Any) -> str:
    """Checks shared by the packed ops of layers, empty if nothing is wrong."""
    if problem := packed_arrays_problem(op, op.input.type.element_type):
        return problem
    blocks = op.blocks.type.shape[0]
    if not 0 <= op.full_blocks.value <= blocks:
        return f"has {op.full_blocks.value} full blocks of {blocks}"
    return kernel_problem(op)


def packed_arrays_problem(op: Any, weights: ir.Type) -> str:
    """Checks of an op's scheme and of its packed arrays, empty if nothing is wrong.

    `weights` is the type of the values.
    """
    if problem := scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    index = ir.IntegerType.get_signless(32, context=op.operation.context)
    if problem := array_types_problem(op, {"values": (1, weights), "blocks": (2, index)}):
        return problem
    offsets = op.offsets.type
    if offsets.rank != 1 or str(offsets.element_type) not in ("i16", "i32"):
        return f"needs offsets of rank 1 and i16 or i32, got {offsets}"
    if op.blocks.type.shape[1] != 4:
        return f"needs blocks of four numbers each, got {op.blocks.type}"
    return ""

"""The layers in packed form: values and index arrays as operands, and a chosen kernel.

`values`, an array of floats: the kept weights, block after block, each a columns x filters matrix.
`offsets`, an array of i32: for each kept column where it is read: for a convolution the distance from an image's output
pixel to the input value in the flat planar buffer, for a linear layer the number of the input.
`blocks`, blocks x 4 of i32: first filter, first and last + 1 entry in `offsets`, first entry in `values`. Blocks of
the kernel's full height come first, lower ones (what is left of a group of filters) after them.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .dialect import SparsePattern
from .epilogue import epilogue_problem
from .kernels import KERNELS
from .layout import layout_of
from .ops import conv_layout_problem, reject


class PackedConvOp(SparsePattern.Operation, name="packed_conv", traits=[ext.Pure]):
    """A convolution on planar activations; `kernel_size` is that of the dense layer, `full_blocks` how many blocks are."""

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
        if layout_of(self.input.type) is None:
            return reject(self, "needs its input in planar layout")
        return reject(self, conv_layout_problem(self) or packed_problem(self))


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
        return reject(self, packed_problem(self))


def packed_problem(op: Any) -> str:
    """Checks shared by the packed ops, empty if nothing is wrong."""
    if not isinstance(op.kernel, KERNELS):
        return f"needs a kernel of this dialect, got {op.kernel}"
    if op.blocks.type.rank != 2 or op.blocks.type.shape[1] != 4:
        return f"needs blocks of four numbers each, got {op.blocks.type}"
    if not 0 <= op.full_blocks.value <= op.blocks.type.shape[0]:
        return f"has {op.full_blocks.value} full blocks of {op.blocks.type.shape[0]}"
    return epilogue_problem(op, op.result.type.shape[1])

"""A convolution of which only the maximum over windows is kept.

`values`, `offsets` and `blocks` are those of `packed_conv`. `window` are the sizes of the windows,
which lie side by side; rows and columns that are left over are dropped, as a pooling does. The
epilogue comes before the maximum.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import epilogue_problem
from .layout import layout_of
from .packed import packed_problem
from .rules import (
    computed_sizes,
    groups_problem,
    packed_shapes_problem,
    pooled_layout_problem,
    pooled_sizes_problem,
    reject,
    window_attributes_problem,
)
from .sparse_pattern import SparsePattern, ints, is_int_array


class PackedPooledConvOp(SparsePattern.Operation, name="packed_pooled_conv", traits=[ext.Pure]):
    """A convolution and the maximum over windows of its result, on planar activations.

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
    window: Any
    scheme: Any
    kernel: Any
    full_blocks: ir.IntegerAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_pooled_conv_problem(self))


def packed_pooled_conv_problem(op: PackedPooledConvOp) -> str:
    """What is wrong with a `packed_pooled_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or packed_problem(op):
        return problem
    kernel_size = ints(op.kernel_size)
    if problem := window_attributes_problem(op, kernel_size) or window_sizes_problem(op):
        return problem
    if problem := pooled_sizes_problem(op) or groups_problem(op, op.result.type.shape[1]):
        return problem
    if problem := pitches_problem(op) or pooled_layout_problem(op):
        return problem
    if op.per_position:
        return "has operands per position, but keeps no value of each"
    return epilogue_problem(op, op.result.type.shape[1])


def window_sizes_problem(op: PackedPooledConvOp) -> str:
    """Windows must be such as the kernel takes."""
    rank = len(ints(op.kernel_size))
    if not is_int_array(op.window) or len(ints(op.window)) != rank:
        return f"needs a window of {rank} sizes, got {op.window}"
    *outer, last = ints(op.window)
    if last != 2 or not set(outer) <= {1, 2}:
        return f"needs a window of 2 columns and 1 or 2 of all else, got {[*outer, last]}"
    return ""


def pitches_problem(op: PackedPooledConvOp) -> str:
    """Rows of the convolution's result, which are never stored, must not wrap in the input."""
    source, sizes = layout_of(op.input.type), computed_sizes(op, ints(op.kernel_size))
    pitches = source.pitches if source is not None else ()
    for outer, inner, size in zip(pitches, pitches[1:], sizes[1:], strict=False):
        if outer < inner * size:
            return f"computes {size} x {inner} elements, but reads a pitch of {outer}"
    return ""

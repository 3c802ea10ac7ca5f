"""A convolution of which only the maximum over windows is kept.

`values`, `offsets` and `blocks` are those of `packed_conv`. `window` are the sizes of the windows,
which lie side by side; rows and columns that are left over are dropped, as a pooling does. The
epilogue comes before the maximum.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .dialect import SparsePattern, ints, is_int_array
from .epilogue import epilogue_problem, shape_text
from .kernels import GatherPoolAttr
from .layout import layout_of
from .packed import packed_problem
from .planar import displacements, window_reach
from .rules import (
    computed_sizes,
    groups_problem,
    packed_shapes_problem,
    phases_problem,
    reject,
    window_attributes_problem,
)


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
    if problem := packed_shapes_problem(op) or packed_problem(op, (GatherPoolAttr,)):
        return problem
    kernel_size = ints(op.kernel_size)
    if problem := window_attributes_problem(op, kernel_size) or pooled_sizes_problem(op):
        return problem
    if problem := groups_problem(op, op.result.type.shape[1]) or pooled_layout_problem(op):
        return problem
    if op.per_position:
        return "has operands per position, but keeps no value of each"
    return epilogue_problem(op, op.result.type.shape[1])


def pooled_sizes_problem(op: PackedPooledConvOp) -> str:
    """Windows must be such as the kernel takes, and the result as large as there are windows."""
    data, result, sizes = op.input.type, op.result.type, computed_sizes(op, ints(op.kernel_size))
    if not is_int_array(op.window) or len(ints(op.window)) != len(sizes):
        return f"needs a window of {len(sizes)} sizes, got {op.window}"
    *outer, last = ints(op.window)
    if last != 2 or not set(outer) <= {1, 2}:
        return f"needs a window of 2 columns and 1 or 2 of all else, got {[*outer, last]}"
    expected = [size // window for size, window in zip(sizes, ints(op.window), strict=True)]
    if list(result.shape[2:]) != expected:
        return f"computes spatial sizes {expected}, but its result has {list(result.shape[2:])}"
    if result.shape[0] != data.shape[0]:
        return f"has {data.shape[0]} images, but its result is {shape_text(result)}"
    return ""


def pooled_layout_problem(op: PackedPooledConvOp) -> str:
    """Planar activations; rows of the convolution's result, which are never stored, must not wrap
    in the input."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    if source is None or target is None:
        return "needs its input and its result in planar layout"
    if target.split:
        return f"writes phases of {list(target.strides)}, but only conversions do"
    sizes, kernel = computed_sizes(op, ints(op.kernel_size)), ints(op.kernel_size)
    for outer, inner, size in zip(source.pitches, source.pitches[1:], sizes[1:], strict=False):
        if outer < inner * size:
            return f"computes {size} x {inner} elements, but reads a pitch of {outer}"
    taps = displacements(kernel, ints(op.dilations), ints(op.padding)[: len(kernel)])
    ones = (1,) * len(kernel)
    reach = window_reach(taps, source.sizes, sizes, ones, source.strides)
    return phases_problem(op, source, reach)

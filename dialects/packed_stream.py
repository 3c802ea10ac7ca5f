"""Layers whose weights are one stream of words, as threads of a GPU read it.

A phone's GPU promises a kernel four buffers, and loads 128 bits as fast as 32. So everything that
does not depend on the image is one array of i32, read four words at a time:

    heads       blocks x (1 + operands x lines): first filter, where the block's stream begins (in
                lines of four words), groups of four columns, columns left over; then for each of
                the `operands` per filter that are constants its numbers, in as many lines as
                f32 would take
    streams     block after block: for each group the four distances from the output pixel to what
                is read, then columns x filters of weights, both in whole lines

A line is four words. The last group may hold columns that are left over; its other weights are 0
and never used. Blocks of the kernel's full height come first, lower ones after them.

The kernel for depthwise layers knows what it reads. For it there is, channel after channel, a line
for each of the `operands`, then the weights of all taps in whole lines.
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
from .storage import Stream

LINE_WORDS = Stream.LANES
GROUP_COLUMNS = 4


class PackedStreamConvOp(SparsePattern.Operation, name="packed_stream_conv", traits=[ext.Pure]):
    """A convolution on planar activations.

    `kernel_size` is that of the dense layer, `full_blocks` of all `blocks` are of full height. The
    first `in_heads` operands per filter are in the heads of blocks, too.
    """

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    words: ext.Operand[ir.RankedTensorType]
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
    blocks: ir.IntegerAttr
    in_heads: ir.IntegerAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_stream_conv_problem(self))


class PackedStreamLinearOp(SparsePattern.Operation, name="packed_stream_linear", traits=[ext.Pure]):
    """A linear layer on rows x inputs: distances are numbers of inputs."""

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    words: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    scheme: Any
    kernel: Any
    full_blocks: ir.IntegerAttr
    blocks: ir.IntegerAttr
    in_heads: ir.IntegerAttr
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_stream_linear_problem(self))


def head_lines(height: int, in_heads: int) -> int:
    """Lines of a block's head, where full blocks have `height` filters."""
    return 1 + in_heads * -(-height // LINE_WORDS)


def group_lines(height: int, weight_bytes: int) -> int:
    """Lines of a group of columns in the stream of a block of `height` filters."""
    return 1 + -(-GROUP_COLUMNS * height * weight_bytes // (4 * LINE_WORDS))


def packed_stream_conv_problem(op: PackedStreamConvOp) -> str:
    """What is wrong with a `packed_stream_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    if problem := kernel_problem(op) or window_problem(op, ints(op.kernel_size)):
        return problem
    if problem := packed_planar_problem(op):
        return problem
    return stream_problem(op) or epilogue_problem(op, op.result.type.shape[1])


def packed_stream_linear_problem(op: PackedStreamLinearOp) -> str:
    """What is wrong with a `packed_stream_linear`, empty if nothing is."""
    if problem := rows_problem(op) or scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    if problem := kernel_problem(op) or stream_problem(op):
        return problem
    return epilogue_problem(op, op.result.type.shape[1])


def stream_problem(op: Any) -> str:
    """Numbers of blocks, and words for their heads."""
    index = ir.IntegerType.get_signless(32, context=op.operation.context)
    if problem := array_types_problem(op, {"words": (1, index)}):
        return problem
    full, blocks, in_heads = op.full_blocks.value, op.blocks.value, op.in_heads.value
    if not 0 <= full <= blocks:
        return f"has {full} full blocks of {blocks}"
    if not 0 <= in_heads <= len(op.per_filter):
        return f"has {in_heads} operands in heads of {len(op.per_filter)}"
    words = op.words.type.shape[0]
    needed = LINE_WORDS * blocks * head_lines(op.kernel.height, in_heads)
    if words % LINE_WORDS or words < needed:
        return f"needs whole lines of {LINE_WORDS} words and {needed} or more, got {words}"
    return ""

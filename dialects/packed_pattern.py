"""A convolution packed by kernels and patterns: for each input channel the kernels that read it.

`values`: kernels x taps of a pattern, the kept weights. Kernels are sorted by group of filters,
then by channel, then by pattern.
`filters`, i8 without sign (i16 for groups of more than 256 filters): for each kernel, which filter
of its group it belongs to.
`counts`, groups x channels x patterns of i16 without sign: how many kernels come next.
`starts`, i32: the first kernel of each group.

The attribute `patterns` lists the taps of each pattern, all of one length.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import epilogue_problem
from .kernels import kernel_problem
from .rules import (
    array_types_problem,
    packed_planar_problem,
    packed_shapes_problem,
    reject,
    tensors_problem,
    window_problem,
)
from .schemes import scheme_problem
from .sparse_pattern import SparsePattern, ints, is_int_array

# Of a group: all of them may have the same pattern, and a count has 16 bits.
MOST_FILTERS = 2**16 - 1


class PackedPatternConvOp(SparsePattern.Operation, name="packed_pattern_conv", traits=[ext.Pure]):
    """A convolution on planar activations whose kernels have patterns.

    `kernel_size` is that of the dense layer.
    """

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    values: ext.Operand[ir.RankedTensorType]
    filters: ext.Operand[ir.RankedTensorType]
    counts: ext.Operand[ir.RankedTensorType]
    starts: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    strides: Any
    dilations: Any
    padding: Any
    groups: ir.IntegerAttr
    kernel_size: Any
    patterns: Any
    scheme: Any
    kernel: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_pattern_conv_problem(self))


def packed_pattern_conv_problem(op: PackedPatternConvOp) -> str:
    """What is wrong with a `packed_pattern_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    kernel = ints(op.kernel_size)
    if problem := window_problem(op, kernel) or kernel_problem(op):
        return problem
    if problem := packed_planar_problem(op) or arrays_problem(op):
        return problem
    if problem := library_problem(op, math.prod(kernel)):
        return problem
    return epilogue_problem(op, op.result.type.shape[1])


def arrays_problem(op: PackedPatternConvOp) -> str:
    """Types of the packed arrays, and how many groups and channels they are for."""

    def integer(bits: int) -> ir.Type:
        return ir.IntegerType.get_signless(bits, context=op.operation.context)

    conv_groups = op.groups.value
    of_group = op.result.type.shape[1] // conv_groups
    height = min(op.kernel.tile.filters, of_group)
    if height > MOST_FILTERS:
        return f"needs groups of at most {MOST_FILTERS} filters, got {height}"
    expected = {
        "values": (1, op.input.type.element_type),
        "filters": (1, integer(8 if height <= 256 else 16)),
        "counts": (3, integer(16)),
        "starts": (1, integer(32)),
    }
    if problem := array_types_problem(op, expected):
        return problem
    groups, channels = conv_groups * -(-of_group // height), op.input.type.shape[1] // conv_groups
    if list(op.counts.type.shape[:2]) != [groups, channels]:
        wanted = f"{groups} groups of filters and {channels} channels"
        return f"needs counts for {wanted}, got {op.counts.type}"
    if op.starts.type.shape[0] != groups:
        return f"needs {groups} starts, got {op.starts.type}"
    return ""


def library_problem(op: PackedPatternConvOp, kernel_taps: int) -> str:
    """Patterns must be of one length, have taps of the kernel, and weights as many as these."""
    if not is_int_array(op.patterns):
        return f"needs patterns as an array of taps, got {op.patterns}"
    taps, patterns, kernels = ints(op.patterns), op.counts.type.shape[2], op.filters.type.shape[0]
    if patterns == 0:
        return f"needs counts for at least one pattern, got {op.counts.type}"
    if not taps or len(taps) % patterns or not 0 <= min(taps) <= max(taps) < kernel_taps:
        return f"needs {patterns} patterns of taps below {kernel_taps}, got {op.patterns}"
    length = len(taps) // patterns
    if op.values.type.shape[0] != kernels * length:
        return f"needs values for {kernels} kernels of {length} taps, got {op.values.type}"
    return ""

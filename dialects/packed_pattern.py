"""A convolution packed by kernels and patterns: for each input channel the kernels that read it.

`values`: kernels x taps of a pattern, the kept weights. Kernels are sorted by group of filters,
then by channel, then by pattern.
`filters`, i8 or i16 without sign: for each kernel, which filter of its group it belongs to.
`counts`, groups x channels x patterns of i16 without sign: how many kernels come next.
`starts`, i32: the first kernel of each group.

The attribute `patterns` lists the taps of each pattern, all of one length.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .dialect import SparsePattern, ints, is_int_array
from .epilogue import epilogue_problem, shape_text
from .kernels import PatternGemmAttr, kernel_problem
from .layout import layout_of
from .rules import conv_layout_problem, groups_problem, reject, tensors_problem, window_problem
from .schemes import scheme_problem


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
    data, result = op.input.type, op.result.type
    if data.rank != result.rank:
        return f"needs input and result of one rank, got {data.rank} and {result.rank}"
    if not is_int_array(op.kernel_size):
        return f"needs a kernel_size as an array of integers, got {op.kernel_size}"
    kernel = ints(op.kernel_size)
    if problem := scheme_problem(op.scheme) or tensors_problem(op) or window_problem(op, kernel):
        return problem
    if problem := kernel_problem(op.kernel, (PatternGemmAttr,)) or groups_problem(
        op, result.shape[1]
    ):
        return problem
    if layout_of(data) is None and layout_of(result) is None:
        return "needs its input and its result in planar layout"
    if problem := conv_layout_problem(op, kernel) or arrays_problem(op):
        return problem
    if result.shape[0] != data.shape[0]:
        return f"has {data.shape[0]} images, but its result is {shape_text(result)}"
    return epilogue_problem(op, result.shape[1])


def arrays_problem(op: PackedPatternConvOp) -> str:
    """Checks of types and sizes of the packed arrays, and of the library."""
    filters, channels = op.result.type.shape[1], op.input.type.shape[1]
    conv_groups = op.groups.value
    height = op.kernel.tile[0]
    groups = conv_groups * -(-(filters // conv_groups) // height)
    counts, kernels = op.counts.type, op.filters.type.shape
    expected = [groups, channels // conv_groups]
    if counts.rank != 3 or list(counts.shape)[:2] != expected:
        wanted = f"{expected[0]} groups of filters and {expected[1]} channels"
        return f"needs counts for {wanted}, got {counts}"
    if list(op.starts.type.shape) != [groups]:
        return f"needs {groups} starts, got {op.starts.type}"
    context = op.operation.context
    element = op.input.type.element_type
    widths = {
        "values": (element,),
        "filters": tuple(ir.IntegerType.get_signless(bits, context=context) for bits in (8, 16)),
        "counts": (ir.IntegerType.get_signless(16, context=context),),
        "starts": (ir.IntegerType.get_signless(32, context=context),),
    }
    for name, kinds in widths.items():
        kind = getattr(op, name).type
        if kind.element_type not in kinds:
            return f"needs {name} of {' or '.join(map(str, kinds))}, got {kind}"
    if not is_int_array(op.patterns) or not ints(op.patterns):
        return f"needs patterns as an array of taps, got {op.patterns}"
    taps, number = ints(op.patterns), counts.shape[2]
    total = 1
    for size in ints(op.kernel_size):
        total *= size
    if len(taps) % number or not 0 <= min(taps) <= max(taps) < total:
        return f"needs {number} patterns of taps below {total}, got {op.patterns}"
    if list(op.values.type.shape) != [kernels[0] * (len(taps) // number)]:
        wanted = f"{kernels[0]} kernels of {len(taps) // number} taps"
        return f"needs values for {wanted}, got {op.values.type}"
    return ""

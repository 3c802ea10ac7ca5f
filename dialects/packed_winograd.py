"""A 3x3 convolution with weights transformed for Winograd's algorithm (see `niwaki.winograd`).

`values`: the transformed weights, groups of `together` filters x points of a tile x register blocks
of a group x input channels x filters of a block. Filters are filled up with zeros to whole blocks.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from niwaki.winograd import PAIRS, TAPS, transform

from .dialect import SparsePattern, ints
from .epilogue import epilogue_problem
from .kernels import WinogradAttr, kernel_problem
from .planar import round_up
from .rules import (
    array_types_problem,
    packed_planar_problem,
    packed_shapes_problem,
    reject,
    tensors_problem,
    window_problem,
)
from .schemes import scheme_problem


class PackedWinogradConvOp(SparsePattern.Operation, name="packed_winograd_conv", traits=[ext.Pure]):
    """A convolution on planar activations, tile by tile.

    `kernel_size` is that of the dense layer.
    """

    result: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    values: ext.Operand[ir.RankedTensorType]
    per_filter: Sequence[ext.Operand[ir.RankedTensorType]]
    per_position: Sequence[ext.Operand[ir.RankedTensorType]]
    strides: Any
    dilations: Any
    padding: Any
    groups: ir.IntegerAttr
    kernel_size: Any
    scheme: Any
    kernel: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_winograd_conv_problem(self))


def packed_winograd_conv_problem(op: PackedWinogradConvOp) -> str:
    """What is wrong with a `packed_winograd_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    if problem := kernel_problem(op.kernel, (WinogradAttr,)) or tile_problem(op.kernel):
        return problem
    window = [*ints(op.kernel_size), *ints(op.strides), *ints(op.dilations), op.groups.value]
    if window != [TAPS, TAPS, 1, 1, 1, 1, 1]:
        return "needs a kernel of 3x3, strides and dilations of 1, and one group"
    if problem := window_problem(op, ints(op.kernel_size)) or packed_planar_problem(op):
        return problem
    if problem := array_types_problem(op, {"values": (1, op.input.type.element_type)}):
        return problem
    outputs, height, *_ = op.kernel.tile
    channels, filters = op.input.type.shape[1], op.result.type.shape[1]
    needed = transform(outputs).points ** 2 * channels * round_up(filters, height)
    if op.values.type.shape[0] != needed:
        told = f"{filters} filters of {channels} channels"
        return f"needs {needed} values for {told}, got {op.values.type}"
    return epilogue_problem(op, filters)


def tile_problem(kernel: WinogradAttr) -> str:
    """A tile size that there is, and groups of whole register blocks."""
    outputs, height, _, together, *_ = kernel.tile
    if outputs not in PAIRS:
        return f"needs tiles of {' or '.join(map(str, PAIRS))} outputs, got {outputs}"
    if together % height:
        return f"needs groups of whole blocks of {height} filters, got {together}"
    return ""

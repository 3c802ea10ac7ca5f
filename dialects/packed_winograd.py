"""A convolution with weights transformed for Winograd's algorithm (see `niwaki.winograd`).

On the phase planes of its input a strided convolution has stride 1: one of 7x7 with stride 2 has
4x4 taps for each of the four phases of a channel, some of them zero. In three dimensions each frame
of the result is an image, whose input planes are frames: for each channel those its taps reach.

`values`: the transformed weights, groups of `together` filters x points of a tile x register blocks
of a group x input planes x filters of a block. Filters are filled up with zeros to whole blocks.
Planes are phases x channels x frames; where phases have fewer taps than others, kernels order them.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from niwaki.winograd import PAIRS, transform

from .epilogue import epilogue_problem
from .kernels import WinogradAttr, kernel_problem
from .layout import layout_of
from .planar import displacements, phase_number, phase_shifts, round_up
from .rules import (
    array_types_problem,
    packed_planar_problem,
    packed_shapes_problem,
    pooled_layout_problem,
    pooled_sizes_problem,
    reject,
    tensors_problem,
    window_attributes_problem,
    window_problem,
)
from .schemes import scheme_problem
from .sparse_pattern import SparsePattern, ints, is_int_array


@dataclass(frozen=True)
class SquareWindow:
    """Taps that fill a square of each phase plane, or parts of it.

    Attributes:
        taps: of a side of the square.
        frames: squares behind one another, in three dimensions.
        before: frames, rows and columns from its first tap to the output pixel.
        places: for each tap of the layer, row-major: number of the phase, frame, row and column.
    """

    taps: int
    frames: int
    before: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]


def square_window(op: Any, kernel_size: Sequence[int]) -> SquareWindow | None:
    """The taps of a convolution, packed or not; None if they fill no square of a plane."""
    strides, rank = ints(op.strides), len(kernel_size)
    if rank == 1:
        return None
    taps = displacements(kernel_size, ints(op.dilations), ints(op.padding)[:rank])
    # An image is one frame.
    shifts = [(0,) * (3 - rank) + shift for shift in phase_shifts(taps, strides)]
    axes = list(zip(*shifts, strict=True))
    first = tuple(map(min, axes))
    frames, *sides = (max(axis) - low + 1 for axis, low in zip(axes, first, strict=True))
    if sides[0] != sides[1]:
        return None
    places = [
        (phase_number(tap, strides), *map(operator.sub, shift, first))
        for tap, shift in zip(taps, shifts, strict=True)
    ]
    return SquareWindow(sides[0], frames, tuple(map(operator.neg, first)), tuple(places))


class PackedWinogradConvOp(SparsePattern.Operation, name="packed_winograd_conv", traits=[ext.Pure]):
    """A convolution on planar activations, tile by tile.

    `kernel_size` is that of the dense layer. Where `window` is not 1 everywhere but 2 rows and 2
    columns, the result is the maximum over such windows, which lie side by side in tiles; rows and
    columns that are left over are dropped. The epilogue comes before the maximum.
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
    window: Any
    scheme: Any
    kernel: Any
    epilogue: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_winograd_conv_problem(self))


def packed_winograd_conv_problem(op: PackedWinogradConvOp) -> str:
    """What is wrong with a `packed_winograd_conv`, empty if nothing is."""
    if problem := packed_shapes_problem(op) or scheme_problem(op.scheme) or tensors_problem(op):
        return problem
    if problem := kernel_problem(op):
        return problem
    kernel_size = ints(op.kernel_size)
    if problem := window_attributes_problem(op, kernel_size) or pooled_problem(op):
        return problem
    if op.groups.value != 1:
        return f"needs one group, got {op.groups.value}"
    window = square_window(op, kernel_size)
    if problem := tile_problem(op.kernel, window.taps if window else 0):
        return problem
    assert window is not None
    if problem := array_types_problem(op, {"values": (1, op.input.type.element_type)}):
        return problem
    tile = op.kernel.tile
    source, filters = layout_of(op.input.type), op.result.type.shape[1]
    assert source is not None
    planes = op.input.type.shape[1] * len(source.phases) * window.frames
    needed = (
        transform(tile.outputs, window.taps).points ** 2 * planes * round_up(filters, tile.filters)
    )
    if op.values.type.shape[0] != needed:
        told = f"{filters} filters of {planes} planes"
        return f"needs {needed} values for {told}, got {op.values.type}"
    return epilogue_problem(op, filters)


def pooled_problem(op: PackedWinogradConvOp) -> str:
    """Sizes and layouts, with windows and without."""
    rank = len(ints(op.kernel_size))
    known = [[1] * rank, [1] * (rank - 2) + [2, 2]]
    window = list(ints(op.window)) if is_int_array(op.window) else []
    if window not in known:
        return f"needs a window of {known[0]} or {known[1]}, got {op.window}"
    if window == known[0]:
        return window_problem(op, ints(op.kernel_size)) or packed_planar_problem(op)
    if op.per_position:
        return "has operands per position, but keeps no value of each"
    return pooled_sizes_problem(op) or pooled_layout_problem(op)


def tile_problem(kernel: WinogradAttr, taps: int) -> str:
    """A tile size that there is for a square of so many taps, and groups of whole blocks."""
    outputs, height, together = kernel.tile.outputs, kernel.tile.filters, kernel.tile.together
    known = [size for size, side in PAIRS if side == taps]
    if not known:
        sides = " or ".join(f"{side}x{side}" for side in sorted({side for _, side in PAIRS}))
        return f"needs taps that fill squares of {sides} in the planes of its input"
    if outputs not in known:
        return f"needs tiles of {' or '.join(map(str, known))} outputs, got {outputs}"
    if together % height:
        return f"needs groups of whole blocks of {height} filters, got {together}"
    return ""

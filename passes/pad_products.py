"""Pad products of two computed matrices, as attention has them, to sizes that IREE is fast at.

    %y = linalg.batch_matmul ins(%q, %k)                        8 x 197x64 by 64x197
      -->
    %a = tensor.pad %q                                          8 x 200x64
    %b = tensor.pad %k                                          8 x 64x256
    %p = linalg.batch_matmul ins(%a, %b)                        8 x 200x256
    %y = tensor.extract_slice %p                                8 x 197x197

IREE cuts rows and columns of the result into tiles whose size divides their number. With AVX-512
tiles of columns that vectors do not fill take twice as long, and where the number is a prime, 20
times. Rows and columns that were added are cut off again, and contracted dimensions stay as they
are, so that nothing is added to any sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor

from niwaki.elements import F32
from niwaki.targets import Target

from .base import ModulePass, Session, erase_unused, function_ops, target_of
from .raising.maps import maps_of, positions
from .raising.operands import Refusal, Start, accumulation_start, need_static_f32

PRODUCTS = ("linalg.matmul", "linalg.batch_matmul")
ROWS = 8  # in a tile, at most
# What takes as long as copying an element into a padded matrix, or out of one.
MULTIPLY_ADDS_PER_COPY = 16
# How many times slower tiles are: those that vectors do not fill, and those of less than a vector.
UNALIGNED, SCALAR = 2, 20
LEAST_GAIN = 0.9  # of the estimated time: estimates are rough


@dataclass(frozen=True)
class PadProductsPass(ModulePass):
    """Pad products where the estimate says that it saves more than copies cost."""

    name: ClassVar[str] = "sparse-pattern-pad-products"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        if not target.product_tile:
            return
        for op in function_ops(module):
            if op.operation.name in PRODUCTS and _can_pad(op):
                shape = ir.RankedTensorType(op.results[0].type).shape
                rows, columns = best_sizes(shape, _contracted(op), target)
                if [rows, columns] != list(shape[-2:]):
                    _pad(op, [*shape[:-2], rows, columns])
        erase_unused(module)


def best_sizes(shape: Sequence[int], contracted: int, target: Target) -> tuple[int, int]:
    """Rows and columns to compute a product of `shape` with, its own where padding does not pay."""
    rows, columns = shape[-2:]
    sizes = itertools.product(
        (rows, _next_multiple(rows, ROWS)),
        (columns, *range(*_multiples(columns, target))),
    )
    best = min(sizes, key=lambda size: _time(shape, contracted, size, target))
    least = LEAST_GAIN * _time(shape, contracted, (rows, columns), target)
    return best if _time(shape, contracted, best, target) < least else (rows, columns)


def _multiples(columns: int, target: Target) -> tuple[int, int, int]:
    """The range of whole vectors up to the next whole tile."""
    first = _next_multiple(columns, target.vector(F32).lanes)
    return first, _next_multiple(columns, target.product_tile) + 1, target.vector(F32).lanes


def _time(shape: Sequence[int], contracted: int, size: tuple[int, int], target: Target) -> float:
    """In multiply-adds of an image: those of tiles at their speed, and copies."""
    rows, columns = size
    time = float(rows * columns * contracted)
    tile = _largest_divisor(columns, target.product_tile)
    if tile % target.vector(F32).lanes:
        time *= UNALIGNED if tile > target.vector(F32).lanes or tile == columns else SCALAR
    if 2 * _largest_divisor(rows, ROWS) < min(rows, ROWS):
        time *= UNALIGNED
    copied = rows * contracted * (rows != shape[-2]) + columns * contracted * (columns != shape[-1])
    if copied:
        copied += math.prod(shape[-2:])
    return time + MULTIPLY_ADDS_PER_COPY * copied


def _largest_divisor(number: int, limit: int) -> int:
    return max(size for size in range(1, limit + 1) if number % size == 0)


def _next_multiple(number: int, of: int) -> int:
    return -(-number // of) * of


def _can_pad(op: Any) -> bool:
    """Whether a product starts from zeros, and each operand has dimensions of its own."""
    try:
        need_static_f32(*op.operands)
        starts_from_zeros = accumulation_start(list(op.operands)[-1], 0.0) == Start()
        loops = [positions(affine_map) for affine_map in maps_of(op)]
    except (Refusal, ValueError):
        return False
    return starts_from_zeros and not any(None in found for found in loops)


def _contracted(op: Any) -> int:
    """How many products each sum has."""
    left, _, result = map(positions, maps_of(op))
    shape = ir.RankedTensorType(op.operands[0].type).shape
    return math.prod(size for loop, size in zip(left, shape, strict=True) if loop not in result)


def _pad(op: Any, shape: list[int]) -> None:
    """Replace a product by one of `shape` and the part of its result that was asked for."""
    *_, result_loops = loops = list(map(positions, maps_of(op)))
    sizes = dict(zip(result_loops, shape, strict=True))
    small = ir.RankedTensorType(op.results[0].type)
    large = ir.RankedTensorType.get(shape, small.element_type)
    with ir.InsertionPoint(op), op.location:
        zero = arith.constant(small.element_type, 0.0)
        factors = [
            _padded(value, [sizes.get(loop, 0) for loop in found], zero)
            for value, found in zip(list(op.operands)[:-1], loops, strict=False)
        ]
        start = linalg.fill(zero, outs=[tensor.EmptyOp(shape, small.element_type).result])
        product = op.operation.clone()
        for number, value in enumerate((*factors, start)):
            product.operands[number] = value
        product.results[0].set_type(large)
        first, steps = [0] * small.rank, [1] * small.rank
        part = tensor.ExtractSliceOp(
            small, product.results[0], [], [], [], first, list(small.shape), steps
        )
    op.results[0].replace_all_uses_with(part.result)
    op.operation.erase()


def _padded(value: Any, sizes: Sequence[int], zero: ir.Value) -> ir.Value:
    """`value` with zeros behind each dimension up to its size; a size of 0 asks for none."""
    kind = ir.RankedTensorType(value.type)
    missing = [max(0, size - there) for size, there in zip(sizes, kind.shape, strict=True)]
    if not any(missing):
        return value
    shape = [there + more for there, more in zip(kind.shape, missing, strict=True)]
    result = ir.RankedTensorType.get(shape, kind.element_type)
    pad = tensor.PadOp(result, value, [], [], [0] * kind.rank, missing)
    block = pad.regions[0].blocks.append(*[ir.IndexType.get()] * kind.rank)
    with ir.InsertionPoint(block):
        tensor.YieldOp(zero)
    return pad.result

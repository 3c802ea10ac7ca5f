"""Pooling: maximum or sum over windows, row by row of the result.

    workgroup x: channel, z: image
    for each row of the result, for each vector of its pixels: combine the strided loads of the window's taps

Zeros of the halo are the padding of a sum. For a maximum, rows beyond the edge are replaced by the edge row, which is
in the same window, and columns beyond it by minus infinity. A window of the whole input is one reduction of the plane.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from niwaki.dialects import Planar

from .builder import (
    Index,
    as_value,
    float_constant,
    fold_range,
    inline_epilogue,
    load,
    load_strided,
    maximum,
    minimum,
    pieces,
    select,
    splat,
    store,
)
from .library import Kernel
from .rows import for_pieces, write_plane, zero_lead


@dataclass(frozen=True)
class Pooling:
    """A pooling as this kernel sees it.

    Attributes:
        source, target: layouts of input and result.
        images, channels: sizes of the activations.
        kind: ``max`` or ``sum``.
        kernel, strides, dilations, before: of the window; `before` is the padding before each spatial dimension.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    kind: str
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    per_filter: int
    per_position: int
    lanes: int


def pooling_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, those per filter, those per position."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        channel, _, image = workgroup
        zero_lead(buffers[-1], pool.target, workgroup, pool.lanes)
        plane = image * pool.channels + channel
        read = plane * pool.source.plane + pool.source.lead
        write = plane * pool.target.plane + pool.target.lead

        def row(indices: list[Index], at: Index) -> None:
            def piece(offset: Index, width: int) -> None:
                value = _window(pool, buffers[0], read, indices, offset, width)
                _finish(pool, epilogue, buffers, value, channel, at + offset, width)

            for_pieces(pool.target.sizes[-1], pool.lanes, piece)

        write_plane(buffers[-1], write, pool.target, pool.lanes, row)

    return Kernel(f"pool_{pool.kind}", (pool, str(epilogue)), (pool.channels, 1, pool.images), emit)


def combine(kind: str, a: ir.Value, b: ir.Value) -> ir.Value:
    """Maximum (NaN wins, as in PyTorch) or sum."""
    return arith.maximumf(a, b) if kind == "max" else arith.addf(a, b)


def _window(pool: Pooling, source: ir.Value, read: Index, rows: list[Index], column: Index, width: int) -> ir.Value:
    """The combined taps of `width` neighbouring windows."""
    rank = len(pool.kernel)
    total: ir.Value | None = None
    for tap in itertools.product(*(range(size) for size in pool.kernel)):
        at = read
        for axis in range(rank - 1):
            place = rows[axis] * pool.strides[axis] + (tap[axis] * pool.dilations[axis] - pool.before[axis])
            if pool.kind == "max":
                place = minimum(maximum(place, 0), pool.source.sizes[axis] - 1)
            at = at + place * pool.source.pitches[axis]
        shift = tap[-1] * pool.dilations[-1] - pool.before[-1]
        value = load_strided(source, at + column * pool.strides[-1] + shift, pool.strides[-1], width)
        if pool.kind == "max":
            value = _without_padding(pool, value, column, shift, width)
        total = value if total is None else combine(pool.kind, total, value)
    assert total is not None
    return total


def _without_padding(pool: Pooling, value: ir.Value, column: Index, shift: int, width: int) -> ir.Value:
    """Minus infinity in lanes that read left or right of the input."""
    size, stride = pool.source.sizes[-1], pool.strides[-1]
    last = (pool.target.sizes[-1] - 1) * stride + shift
    if shift >= 0 and last < size:
        return value
    lanes = ir.VectorType.get([width], ir.IndexType.get())
    steps = vector.step(lanes)
    first = vector.broadcast(lanes, as_value(column * stride + shift))
    places = arith.addi(first, arith.muli(steps, vector.broadcast(lanes, as_value(stride))))
    inside = arith.andi(
        arith.cmpi(arith.CmpIPredicate.sge, places, vector.broadcast(lanes, as_value(0))),
        arith.cmpi(arith.CmpIPredicate.slt, places, vector.broadcast(lanes, as_value(size))),
    )
    if width == 1:
        inside = vector.extract(inside, [], [0])
    return select(inside, value, float_constant(float("-inf"), width))


def _finish(
    pool: Pooling, epilogue: ir.Block, buffers: list[ir.Value], value: ir.Value, channel: Index, at: Index, width: int
) -> None:
    """Epilogue and store."""
    per_filter = [splat(load(buffer, channel), width) for buffer in buffers[1 : 1 + pool.per_filter]]
    first = 1 + pool.per_filter
    per_position = [load(buffer, at, width) for buffer in buffers[first : first + pool.per_position]]
    store(inline_epilogue(epilogue, [value, *per_filter, *per_position], width), buffers[-1], at)


def whole_plane_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """As `pooling_kernel`, for a window that is the whole input: one value a channel."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        channel, _, image = workgroup
        plane = image * pool.channels + channel
        value = _reduce(pool, buffers[0], plane * pool.source.plane + pool.source.lead)
        _finish(pool, epilogue, buffers, value, channel, plane, 1)

    return Kernel(f"reduce_{pool.kind}", (pool, str(epilogue)), (pool.channels, 1, pool.images), emit)


def _reduce(pool: Pooling, source: ir.Value, read: Index) -> ir.Value:
    """Combine all pixels of a plane: a vector of partial results for each width of a row's pieces, then their lanes."""
    layout, cuts = pool.source, pieces(pool.source.sizes[-1], pool.lanes)
    neutral = float("-inf") if pool.kind == "max" else 0.0

    def row(at: Index, partial: list[ir.Value]) -> list[ir.Value]:
        return [_reduce_piece(pool, source, at + cut[0], cut, value) for cut, value in zip(cuts, partial, strict=True)]

    def walk(axis: int, at: Index, partial: list[ir.Value]) -> list[ir.Value]:
        if axis == len(layout.sizes) - 1:
            return row(at, partial)
        step = layout.pitches[axis]
        return fold_range(0, layout.sizes[axis], partial, lambda i, carried: walk(axis + 1, at + i * step, carried))

    vectors = walk(0, read, [float_constant(neutral, width) for _, width, _ in cuts])
    scalars = [_across_lanes(pool.kind, value) for value in vectors]
    total = scalars[0]
    for scalar in scalars[1:]:
        total = combine(pool.kind, total, scalar)
    return total


def _reduce_piece(
    pool: Pooling, source: ir.Value, at: Index, cut: tuple[int, int, int], partial: ir.Value
) -> ir.Value:
    _, width, repeats = cut
    if repeats == 1:
        return combine(pool.kind, partial, load(source, at, width))
    (total,) = fold_range(
        0, repeats, [partial], lambda i, carried: [combine(pool.kind, carried[0], load(source, at + i * width, width))]
    )
    return total


def _across_lanes(kind: str, value: ir.Value) -> ir.Value:
    """One value of a vector's lanes."""
    if not isinstance(value.type, ir.VectorType):
        return value
    how = vector.CombiningKind.MAXIMUMF if kind == "max" else vector.CombiningKind.ADD
    return vector.reduction(ir.F32Type.get(), how, value)

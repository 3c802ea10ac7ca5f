"""Pooling: maximum or sum over windows, row by row of the result.

    workgroup x: channel, z: image
    for each row of the result, for each vector of its pixels:
      combine the strided loads of the window's taps

Zeros of the halo are the padding of a sum. For a maximum, rows beyond the edge are replaced by the
edge row, which is in the same window unless that is dilated or wholly in the padding; columns
beyond it, and rows that such windows read, by minus infinity. A window of the whole input is one
reduction of the plane.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from niwaki.dialects import NoArrays, Planar

from .accesses import load, load_as, load_strided_parts, pieces, store
from .control import fold_range
from .epilogue import finished, sum_type
from .indices import Index, above, all_of, as_value, below, maximum, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces, write_plane
from .vectors import every_second, float_constant, float_maximum, in_type, join_strided, select

MOST_UNROLLED = 256  # taps: windows of more are loops


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """A pooling as this kernel sees it.

    Attributes:
        input, result: layouts.
        images, channels: sizes of the activations.
        kind: ``max`` or ``sum``.
        kernel, strides, dilations, before: of the window; `before` is the padding before each
            spatial dimension.
        lanes: f32 values of a vector; on a GPU the threads of a workgroup, which hold one each.
        subgroup: threads of a GPU that exchange numbers; 0 where none do.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    kind: str
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    lanes: int
    subgroup: int


def pooling_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel with operands of the epilogue."""

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        channel, _, image = workgroup
        plane = image * pool.channels + channel
        read = plane * pool.input.plane + pool.input.lead
        write = plane * pool.result.plane + pool.result.lead

        def row(indices: list[Index], at: Index) -> None:
            def piece(offset: Index, width: int) -> None:
                value = window(pool, sum_type(epilogue), memory.input, read, indices, offset, width)
                finish(epilogue, memory, value, channel, at + offset, width)

            for_pieces(pool.result.sizes[-1], pool.lanes, piece)

        write_plane(memory.result, write, pool.result, pool.lanes, row)

    key, workgroups = (pool, epilogue_key(epilogue)), (pool.channels, 1, pool.images)
    return Kernel(f"pool_{pool.kind}", key, workgroups, emit, pool.input, pool.result)


def combine(kind: str, a: ir.Value, b: ir.Value) -> ir.Value:
    """Maximum (NaN wins, as in PyTorch) or sum."""
    return float_maximum(a, b) if kind == "max" else arith.addf(a, b)


def window(
    pool: Pooling,
    kind: ir.Type,
    source: ir.Value,
    read: Index,
    rows: list[Index],
    column: Index,
    width: int,
) -> ir.Value:
    """The combined taps of `width` neighbouring windows: those of each column, then the columns.

    They are combined as numbers of type `kind`.
    """
    *tall, wide = pool.kernel
    stride = pool.strides[-1]
    neutral = float_constant(float("-inf") if pool.kind == "max" else 0.0, kind, width)

    def rows_of(tap: Index, *, pair: bool) -> list[ir.Value]:
        """The vectors that hold what a column of taps reads, or two, combined over all rows."""
        shift = tap * pool.dilations[-1] - pool.before[-1]

        def load_row(taps: list[Index]) -> list[ir.Value]:
            at = row_start(pool, read, rows, taps) + column * stride + shift
            parts = (
                [load(source, at + i * width, width) for i in range(2)]
                if pair
                else load_strided_parts(source, at, stride, width)
            )
            loaded = [in_type(kind, part) for part in parts]
            if pool.kind == "sum":
                return loaded
            return [without_missed_rows(pool, part, rows, taps, width) for part in loaded]

        count = 2 if stride == 2 and width > 1 else 1  # vectors that `join_strided` joins
        return _combined(pool, tall, load_row, [neutral] * count)

    def finished_column(tap: Index, value: ir.Value) -> ir.Value:
        return value if pool.kind == "sum" else _without_padding(pool, value, column, tap, width)

    def column_of_taps(tap: Index) -> ir.Value:
        parts = rows_of(tap, pair=False)
        return finished_column(tap, join_strided(parts, stride, width))

    def two_columns(tap: int) -> list[ir.Value]:
        """Those of two neighbouring taps, which read every second element of the same vectors."""
        parts = rows_of(Index(tap), pair=True)
        found = (every_second(parts, odd) for odd in range(2))
        return [finished_column(Index(tap + odd), value) for odd, value in enumerate(found)]

    if stride == 2 and width > 1 and pool.dilations[-1] == 1 and is_unrolled(pool):
        columns = [one for tap in range(0, wide - 1, 2) for one in two_columns(tap)]
        columns += [column_of_taps(Index(wide - 1))] * (wide % 2)
        return functools.reduce(functools.partial(combine, pool.kind), columns)
    (total,) = _combined(pool, [wide], lambda taps: [column_of_taps(*taps)], [neutral])
    return total


def is_unrolled(pool: Pooling) -> bool:
    """Whether the taps of a window are written out: code must not grow with large ones."""
    return math.prod(pool.kernel) <= MOST_UNROLLED


def _combined(
    pool: Pooling,
    counts: list[int],
    load_taps: Callable[[list[Index]], list[ir.Value]],
    neutral: list[ir.Value],
) -> list[ir.Value]:
    """What `load_taps` gives for the taps of some dimensions, combined.

    Large windows are loops, so that code does not grow with them.
    """

    def add(total: list[ir.Value], more: list[ir.Value]) -> list[ir.Value]:
        return [combine(pool.kind, a, b) for a, b in zip(total, more, strict=True)]

    def walk(taps: list[Index], total: list[ir.Value]) -> list[ir.Value]:
        if len(taps) == len(counts):
            return add(total, load_taps(taps))
        return fold_range(
            0, counts[len(taps)], total, lambda tap, carried: walk([*taps, tap], carried)
        )

    if not is_unrolled(pool):
        return walk([], neutral)
    every = [list(map(Index, taps)) for taps in itertools.product(*map(range, counts))]
    return functools.reduce(add, map(load_taps, every))


def row_start(pool: Pooling, read: Index, rows: list[Index], taps: list[Index]) -> Index:
    """Where the row of the input begins that a window's row of taps reads."""
    at = read
    for axis, row in enumerate(rows):
        place = row * pool.strides[axis] + _shift(pool, taps[axis], axis)
        if pool.kind == "max":
            place = minimum(maximum(place, 0), pool.input.sizes[axis] - 1)
        at = at + place * pool.input.pitches[axis]
    return at


def _without_padding(
    pool: Pooling, value: ir.Value, column: Index, tap: Index, width: int
) -> ir.Value:
    """Minus infinity in lanes that read left or right of the input."""
    axis = len(pool.kernel) - 1
    size, stride = pool.input.sizes[axis], pool.strides[axis]
    if not _reaches_beyond(pool, tap, axis):
        return value
    first = column * stride + _shift(pool, tap, axis)
    if width == 1:
        return select(_within(first, size), value, minus_infinity(value))
    number = ir.IntegerType.get_signless(32)
    lanes = ir.VectorType.get([width], number)
    steps = arith.constant(
        lanes,
        ir.DenseElementsAttr.get(
            [ir.IntegerAttr.get(number, lane * stride) for lane in range(width)], lanes
        ),
    )
    places = arith.addi(vector.broadcast(lanes, arith.index_cast(number, as_value(first))), steps)
    limit = arith.constant(
        lanes, ir.DenseElementsAttr.get_splat(lanes, ir.IntegerAttr.get(number, size))
    )
    # A negative place is a huge unsigned one: one comparison for both edges.
    inside = arith.cmpi(arith.CmpIPredicate.ult, places, limit)
    return select(inside, value, minus_infinity(value))


def without_missed_rows(
    pool: Pooling, value: ir.Value, rows: list[Index], taps: list[Index], width: int
) -> ir.Value:
    """Minus infinity where a window reads beyond the input and may not have the edge row in it."""
    for axis, row in enumerate(rows):
        if _misses_edge(pool, axis) and _reaches_beyond(pool, taps[axis], axis):
            place = row * pool.strides[axis] + _shift(pool, taps[axis], axis)
            inside = _within(place, pool.input.sizes[axis])
            value = select(inside, value, minus_infinity(value))
    return value


def minus_infinity(like: ir.Value) -> ir.Value:
    """Minus infinity, in every lane of a vector."""
    if not isinstance(like.type, ir.VectorType):
        return float_constant(float("-inf"), like.type)
    return float_constant(float("-inf"), like.type.element_type, like.type.shape[0])


def _misses_edge(pool: Pooling, axis: int) -> bool:
    """Whether windows may reach beyond an edge without the edge row: dilated or beyond it."""
    span = (pool.kernel[axis] - 1) * pool.dilations[axis]
    start = (pool.result.sizes[axis] - 1) * pool.strides[axis] - pool.before[axis]
    return pool.dilations[axis] > 1 or pool.before[axis] > span or start >= pool.input.sizes[axis]


def _reaches_beyond(pool: Pooling, tap: Index, axis: int) -> bool:
    """Whether a tap, or any one of a loop's, reads beyond an edge in some window."""
    known = [tap.value] if isinstance(tap.value, int) else [0, pool.kernel[axis] - 1]
    shifts = [_shift(pool, Index(each), axis).value for each in known]
    last = (pool.result.sizes[axis] - 1) * pool.strides[axis]
    return bool(min(shifts) < 0 or last + max(shifts) >= pool.input.sizes[axis])


def _shift(pool: Pooling, tap: Index, axis: int) -> Index:
    """Where a tap reads relative to the first pixel of its window without padding."""
    return tap * pool.dilations[axis] - pool.before[axis]


def _within(place: Index, size: int) -> ir.Value:
    """Whether a row or column is one of the input's."""
    return all_of([above(place, -1), below(place, size)])


def finish(
    epilogue: ir.Block,
    memory: Memory[NoArrays[ir.Value]],
    value: ir.Value,
    channel: Index,
    at: Index,
    width: int,
) -> None:
    """Epilogue and store."""
    per_filter = [load(buffer, channel) for buffer in memory.per_filter]
    result = finished(epilogue, value, per_filter, memory.per_position, at, width)
    store(result, memory.result, at)


def whole_plane_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """As `pooling_kernel`, for a window that is the whole input: one value a channel."""

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        channel, _, image = workgroup
        plane = image * pool.channels + channel
        value = reduce_plane(
            pool,
            sum_type(epilogue),
            memory.input,
            plane * pool.input.plane + pool.input.lead,
            pool.lanes,
        )
        finish(epilogue, memory, value, channel, plane, 1)

    key, workgroups = (pool, epilogue_key(epilogue)), (pool.channels, 1, pool.images)
    return Kernel(f"reduce_{pool.kind}", key, workgroups, emit, pool.input, pool.result)


def reduce_plane(
    pool: Pooling, kind: ir.Type, source: ir.Value, read: Index, lanes: int
) -> ir.Value:
    """Combine a plane's pixels: a vector for each width of a row's pieces, then their lanes."""
    layout, cuts = pool.input, pieces(pool.input.sizes[-1], lanes)
    neutral = float("-inf") if pool.kind == "max" else 0.0

    def row(at: Index, partial: list[ir.Value]) -> list[ir.Value]:
        return [
            _reduce_piece(pool, kind, source, at + cut[0], cut, value)
            for cut, value in zip(cuts, partial, strict=True)
        ]

    def walk(axis: int, at: Index, partial: list[ir.Value]) -> list[ir.Value]:
        if axis == len(layout.sizes) - 1:
            return row(at, partial)
        step = layout.pitches[axis]
        return fold_range(
            0,
            layout.sizes[axis],
            partial,
            lambda i, carried: walk(axis + 1, at + i * step, carried),
        )

    vectors = walk(0, read, [float_constant(neutral, kind, width) for _, width, _ in cuts])
    scalars = [_across_lanes(pool.kind, value) for value in vectors]
    total = scalars[0]
    for scalar in scalars[1:]:
        total = combine(pool.kind, total, scalar)
    return total


def _reduce_piece(
    pool: Pooling,
    kind: ir.Type,
    source: ir.Value,
    at: Index,
    cut: tuple[int, int, int],
    partial: ir.Value,
) -> ir.Value:
    _, width, repeats = cut
    if repeats == 1:
        return combine(pool.kind, partial, load_as(kind, source, at, width))
    (total,) = fold_range(
        0,
        repeats,
        [partial],
        lambda i, carried: [
            combine(pool.kind, carried[0], load_as(kind, source, at + i * width, width))
        ],
    )
    return total


def _across_lanes(kind: str, value: ir.Value) -> ir.Value:
    """One value of a vector's lanes."""
    if not isinstance(value.type, ir.VectorType):
        return value
    how = vector.CombiningKind.MAXIMUMF if kind == "max" else vector.CombiningKind.ADD
    return vector.reduction(value.type.element_type, how, value)

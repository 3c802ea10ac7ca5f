"""Poolings of windows on a GPU: each thread computes neighbouring pixels of one row.

    for a part of a row (`gpu_rows`):
      for each column that its windows read:
        c = load input[...] of the window's rows, combined       once for all windows that read it
      for each pixel: combine the columns of its window
      store epilogue

Eight windows of 3x3 and stride 2 load 51 numbers instead of 72, those of stride 1 load 30.
"""

from __future__ import annotations

import functools
import itertools

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays

from .accesses import load, load_as, store
from .epilogue import finished, sum_type
from .gpu_rows import Pixels, Row, SharedRows
from .indices import Index, above, all_of, below
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .pooling import (
    Pooling,
    combine,
    is_unrolled,
    minus_infinity,
    row_start,
    window,
    without_missed_rows,
)
from .vectors import select

# Pixels of a thread: more share more loads, but then few threads have work.
PIXELS = 8


def gpu_pooling_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel with operands of the epilogue."""
    row_size = pool.result.sizes[-1]
    rows = SharedRows(
        result=pool.result,
        images=pool.images,
        channels=pool.channels,
        pixels=-(-row_size // -(-row_size // PIXELS)),
        lanes=pool.lanes,
    )

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        def row(place: Row) -> Pixels:
            per_filter = [load(buffer, place.channel) for buffer in memory.per_filter]
            part = functools.partial(_combined, pool, sum_type(epilogue), memory.input, place)

            def pixels(column: Index, count: int) -> None:
                for number, total in enumerate(part(column, count)):
                    at = place.write + column + number
                    result = finished(epilogue, total, per_filter, memory.per_position, at, 1)
                    store(result, memory.result, at)

            return pixels

        rows.emit(memory.result, workgroup, row)

    key, layouts = (pool, epilogue_key(epilogue)), (pool.input, pool.result)
    return Kernel(f"pool_{pool.kind}", key, rows.workgroups, emit, *layouts)


def _combined(
    pool: Pooling, kind: ir.Type, source: ir.Value, row: Row, column: Index, count: int
) -> list[ir.Value]:
    """What the windows of `count` neighbours from a column on combine to."""
    read = row.plane * pool.input.plane + pool.input.lead
    if not is_unrolled(pool):
        pixels = [column + number for number in range(count)]
        return [window(pool, kind, source, read, row.indices, pixel, 1) for pixel in pixels]
    *tall, wide = pool.kernel
    stride, dilation, before = pool.strides[-1], pool.dilations[-1], pool.before[-1]
    taps = [[*map(Index, numbers)] for numbers in itertools.product(*map(range, tall))]
    starts = [row_start(pool, read, row.indices, tap) + column * stride for tap in taps]

    @functools.cache
    def whole_column(distance: int) -> ir.Value:
        """One that lies so far from what the first pixel reads without padding."""
        loaded = [load_as(kind, source, start + distance) for start in starts]
        if pool.kind == "sum":
            return functools.reduce(functools.partial(combine, "sum"), loaded)
        numbers = [
            without_missed_rows(pool, one, row.indices, tap, 1)
            for one, tap in zip(loaded, taps, strict=True)
        ]
        highest = functools.reduce(functools.partial(combine, "max"), numbers)
        return _without_padding(pool, highest, column * stride + distance, distance, count)

    return [
        functools.reduce(
            functools.partial(combine, pool.kind),
            (whole_column(pixel * stride + tap * dilation - before) for tap in range(wide)),
        )
        for pixel in range(count)
    ]


def _without_padding(
    pool: Pooling, value: ir.Value, place: Index, distance: int, count: int
) -> ir.Value:
    """Minus infinity where a column is beyond the input, as one at `distance` may be."""
    size, stride = pool.input.sizes[-1], pool.strides[-1]
    last = (pool.result.sizes[-1] - count) * stride + distance
    beyond = [above(place, -1)] if distance < 0 else []
    beyond += [below(place, size)] if last >= size else []
    return select(all_of(beyond), value, minus_infinity(value)) if beyond else value

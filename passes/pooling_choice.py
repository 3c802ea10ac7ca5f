"""Whether a maximum over windows is worth fusing into a convolution, and the fused kernel's tile.

Fused, neither is a result as large as the convolution's written and read, nor is there a pooling.
But tiles start anew in each row: what a row's last vector covers in vain is computed, too. Where
that is more than the pooling takes, the two stay apart (28 pixels take two vectors of 16, which is
10 % more than rows without gaps need; 56 take three and a half). Winograd's tiles hold whole
windows, so that there a maximum costs nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from niwaki.dialects import LOOKAHEAD, GatherPoolAttr, WinogradAttr, ints, layout_of
from niwaki.targets import Target

from .candidates import BLOCKS, PIXEL_TILES, shares_well
from .cost import (
    F32_BYTES,
    Blocks,
    Plane,
    Windows,
    gather_gemm_seconds,
    gather_pool_seconds,
    pool_seconds,
)
from .kernels.gather_pool import window_widths
from .kernels.rows import vector_widths
from .layers import planar_input
from .lowering import block_heights

# The fewer rows of windows a workgroup has, the less of the input must stay in the cache: of tiles
# that are about as fast by estimate, the first is taken. (Measured with 64 channels of 224x224: one
# row 4.5 ms, two 4.7, four 4.8.)
ABOUT = 1.01


@dataclass(frozen=True)
class Fused:
    """A kernel for a convolution and a pooling.

    Attributes:
        longer: seconds that it takes beyond those of the convolution alone.
        pooling: seconds of the pooling alone.
    """

    kernel: GatherPoolAttr | WinogradAttr
    longer: float
    pooling: float


def fused(conv: Any, pool: Any, target: Target) -> Fused:
    """The fused kernel of a packed convolution, and of a `pool` that reads it."""
    pooling = pooling_seconds(pool, target)
    if isinstance(conv.kernel, WinogradAttr):
        return Fused(conv.kernel, 0.0, pooling)
    blocks, plane = stored_blocks(conv), result_plane(conv, target)
    alone = gather_gemm_seconds(target, plane, blocks, conv.kernel.tile)
    plane = replace(plane, result_bytes=F32_BYTES * math.prod(pool.result.type.shape[1:]))
    windows, height = windows_of(pool, target), conv.kernel.tile[0]
    seconds = {
        tile: gather_pool_seconds(target, plane, blocks, windows, tile)
        for tile in tiles(target, height, windows, conv.blocks.type.shape[0])
    }
    best = min(seconds.values())
    tile = next(tile for tile in seconds if seconds[tile] <= ABOUT * best)
    return Fused(GatherPoolAttr.of(*tile), seconds[tile] - alone, pooling)


def tiles(target: Target, height: int, windows: Windows, blocks: int) -> Iterator[tuple[int, ...]]:
    """Tiles of the kernel for blocks of `height` filters, see `GatherPoolAttr`."""
    # Sums, a vector of input for each column of them, and a weight.
    most = max(1, (target.registers - 1) // (height + 1))
    lines, rows, covering = windows.lines, windows.rows, math.ceil(windows.vectors)
    steps = itertools.product(sorted({*PIXEL_TILES, lines}), (blocks, *reversed(BLOCKS)))
    for step, group in steps:
        workgroups = -(-lines // step) * -(-blocks // group)
        if step > lines or group > blocks or not shares_well(workgroups, lines * blocks):
            continue
        for together, vectors in itertools.product(range(rows, 0, -1), range(1, covering + 1)):
            if rows % together == 0 and together * vectors <= most:
                yield height, together, vectors, step, group


def stored_blocks(conv: Any) -> Blocks:
    """Numbers of blocks of each height, with equal shares of the columns."""
    height = conv.kernel.tile[0]
    full, count, rest = block_heights(conv, height)
    columns = conv.offsets.type.shape[0] - LOOKAHEAD
    part = columns * full // max(1, count)
    found = {height: (full, part), rest: (count - full, columns - part)}
    return {rows: held for rows, held in found.items() if held[0]}


def result_plane(conv: Any, target: Target) -> Plane:
    """What a convolution reads and writes."""
    images, channels, *_ = conv.input.type.shape
    source, result = planar_input(conv), layout_of(conv.result.type)
    assert result is not None, "verified"
    widths = vector_widths(result.extent, target.lanes)
    return Plane(
        images,
        len(widths),
        widths[-1] / target.lanes,
        source.planes(1, channels),
        F32_BYTES * source.elements(1, channels),
        F32_BYTES * math.prod(conv.result.type.shape[1:]),
        len(conv.per_position),
    )


def windows_of(pool: Any, target: Target) -> Windows:
    """The windows of a pooling."""
    *lines, row = pool.result.type.shape[2:]
    covered = sum(window_widths(row, target.lanes))
    return Windows(math.prod(lines), math.prod(ints(pool.kernel)[:-1]), covered / target.lanes)


def pooling_seconds(pool: Any, target: Target) -> float:
    """What the pooling takes by itself."""
    images, channels, *sizes = pool.result.type.shape
    *lines, row = sizes
    vectors = channels * math.prod(lines) * -(-row // target.lanes)
    input_bytes = F32_BYTES * math.prod(pool.input.type.shape[1:])
    taps = math.prod(ints(pool.kernel))
    return images * pool_seconds(target, vectors, taps, input_bytes)

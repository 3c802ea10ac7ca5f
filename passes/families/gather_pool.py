"""Gather-GEMM with a maximum over windows, which fuse-pooling makes of a gather-GEMM and a pooling.

Fused, neither is a result as large as the convolution's written and read, nor is there a pooling.
But tiles start anew in each row: what a row's last vector covers in vain is computed, too. Where
that is more than the pooling takes, the two stay apart (28 pixels take two vectors of 16, which is
10 % more than rows without gaps need; 56 take three and a half).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from niwaki.dialects import LOOKAHEAD, Blocks, GatherPoolAttr, GatherPoolTile, ints
from niwaki.targets import Target

from ..cost import (
    WORKGROUP_START,
    BlockCounts,
    Plane,
    column_cycles,
    overlapped,
    tail_cycles,
)
from ..kernels.gather_pool import GatherPool, gather_pool_kernel, window_widths
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.rows import vector_widths
from ..layers import element_of
from .base import (
    PIXEL_TILES,
    Family,
    conv_layouts,
    refuse_narrow_input,
    shares_well,
)
from .blocks import block_heights, blocked_sizes
from .gather_gemm import BLOCKS, gather_gemm_moves, gather_gemm_seconds
from .pooled import Fused, PooledForm

# The fewer rows of windows a workgroup has, the less of the input must stay in the cache: of tiles
# that are about as fast by estimate, the first is taken. (Measured with 64 channels of 224x224: one
# row 4.5 ms, two 4.7, four 4.8.)
ABOUT = 1.01


class GatherPoolFamily(Family):
    """Calls of the fused kernel."""

    kernel = GatherPoolAttr
    arrays = Blocks

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_pooled_conv`."""
        conv = GatherPool(
            **blocked_sizes(op, target),
            window=ints(op.window),
        )
        refuse_narrow_input(op, conv.covered, conv.lanes)
        return gather_pool_kernel(conv, op.epilogue.blocks[0]), self.operands(op)


class GatherPooled(PooledForm):
    """A gather-GEMM and a pooling as one kernel."""

    op = "packed_pooled_conv"

    def problem(self, outer: list[int], columns: int) -> str:
        """Pairs of columns are joined in registers, one or two rows of them."""
        if columns != 2 or not set(outer) <= {1, 2}:
            return "windows must have 2 columns, and 1 or 2 of all else"
        return ""

    def fused(self, conv: Any, pool: Any, target: Target) -> Fused:
        """The tile that is fastest by estimate."""
        blocks, plane = stored_blocks(conv), result_plane(conv, target)
        alone = self.alone(conv, target, plane, blocks)
        kept = plane.vector.stored.bytes * math.prod(pool.result.type.shape[1:])
        plane = replace(plane, result_bytes=kept)
        windows, height = windows_of(pool, target), conv.kernel.tile.filters
        seconds = {
            tile: gather_pool_seconds(target, plane, blocks, windows, tile)
            for tile in tiles(target, height, windows, conv.blocks.type.shape[0])
        }
        best = min(seconds.values())
        tile = next(tile for tile in seconds if seconds[tile] <= ABOUT * best)
        return Fused(GatherPoolAttr.of(*tile), seconds[tile] - alone)

    def alone(self, conv: Any, target: Target, plane: Plane, blocks: BlockCounts) -> float:
        """The convolution without a pooling."""
        return gather_gemm_seconds(target, plane, blocks, conv.kernel.tile)


@dataclass(frozen=True)
class Windows:
    """Windows that lie side by side, of which a fused pooling keeps the maximum.

    Attributes:
        lines: rows of windows in a plane.
        rows: rows of a window, in all frames that it spans.
        vectors: vectors of pixels that cover a row of windows; a narrower one is a part.
    """

    lines: int
    rows: int
    vectors: float


def tiles(target: Target, height: int, windows: Windows, blocks: int) -> Iterator[GatherPoolTile]:
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
                yield GatherPoolTile(height, together, vectors, step, group)


def stored_blocks(conv: Any) -> BlockCounts:
    """Numbers of blocks of each height, with equal shares of the columns."""
    height = conv.kernel.tile.filters
    full, count, rest = block_heights(conv, height)
    columns = conv.offsets.type.shape[0] - LOOKAHEAD
    part = columns * full // max(1, count)
    found = {height: (full, part), rest: (count - full, columns - part)}
    return {lower: held for lower, held in found.items() if held[0]}


def result_plane(conv: Any, target: Target) -> Plane:
    """What a convolution reads and writes."""
    images, channels, *_ = conv.input.type.shape
    source, result = conv_layouts(conv)
    vector = target.vector(element_of(conv.input))
    widths = vector_widths(result.extent, vector.lanes)
    return Plane(
        images,
        len(widths),
        widths[-1] / vector.lanes,
        source.planes(1, channels),
        vector.stored.bytes * source.elements(1, channels),
        vector.stored.bytes * math.prod(conv.result.type.shape[1:]),
        len(conv.per_position),
        vector,
    )


def windows_of(pool: Any, target: Target) -> Windows:
    """The windows of a pooling."""
    *lines, row = pool.result.type.shape[2:]
    lanes = target.vector(element_of(pool.input)).lanes
    covered = sum(window_widths(row, lanes))
    return Windows(math.prod(lines), math.prod(ints(pool.kernel)[:-1]), covered / lanes)


def gather_pool_seconds(
    target: Target, plane: Plane, blocks: BlockCounts, windows: Windows, tile: GatherPoolTile
) -> float:
    """Gather-GEMM with a maximum over windows."""
    core = target.cpu_core
    groups = -(-windows.lines // tile.lines)
    turns = windows.lines * windows.rows // tile.rows
    all_blocks = sum(count for count, _ in blocks.values())
    cycles = float(groups * -(-all_blocks // tile.blocks) * WORKGROUP_START)
    whole, rest = divmod(windows.vectors, tile.vectors)
    for height, (count, columns) in blocks.items():
        for wide, repeats in ((tile.rows * tile.vectors, whole), (tile.rows * rest, rest > 0)):
            inner = columns * column_cycles(target, plane.vector, height, wide)
            tail = count * (tail_cycles(target, plane, height, wide) + core.tile_start)
            cycles += turns * repeats * (inner + tail)
    covered = round(tile.lines * windows.rows * windows.vectors)
    moves = gather_gemm_moves(target, plane, blocks, groups, covered)
    return plane.images * overlapped(cycles, *moves) / core.clock

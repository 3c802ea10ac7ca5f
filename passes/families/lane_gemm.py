"""Gather-GEMM with filters in lanes, for rows that pixels in lanes would not fill."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import Blocks, LaneGemmAttr, LaneGemmTile
from niwaki.schemes import Dense, block_columns
from niwaki.targets import LINE_BYTES, Target, Vector

from ..choice import Candidate
from ..cost import (
    INDEX_LOADS,
    WORKGROUP_START,
    BlockCounts,
    Plane,
    mean,
    overlapped,
    tail_cycles,
)
from ..kernels.lane_gemm import LaneGemm, lane_gemm_kernel
from ..kernels.lanes import pixel_loads, pixel_widths
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..layers import takes_depthwise_kernel
from .base import (
    PIXEL_TILES,
    UNLIMITED,
    KernelFamily,
    Layer,
    Packed,
    conv_layouts,
    refuse_narrow_input,
    shares_well,
)
from .blocks import blocked_sizes, pack_blocks
from .gather_gemm import BLOCKS, gather_gemm_moves, heights
from .gather_pool import GatherPooled


class LaneGemmFamily(KernelFamily):
    """Convolutions of images whose blocks have whole vectors of filters."""

    kernel = LaneGemmAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """The largest tiles for each height of blocks."""
        if takes_depthwise_kernel(layer.op, layer.target):
            return
        _, result = conv_layouts(layer.op)
        if not layer.target.multiplies_by_lane or layer.most != UNLIMITED:
            return
        if len(result.sizes) != 2:
            return
        for scheme in {layer.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)
            for height in reversed(heights(layer, scheme)):
                blocks = block_columns(mask, scheme, height, layer.groups)
                if any(filters % layer.vector.lanes for filters in blocks):
                    continue
                for tile in lane_tiles(layer, height, sum(count for count, _ in blocks.values())):
                    seconds = lane_gemm_seconds(
                        layer.target, layer.plane, result.sizes, blocks, tile
                    )
                    yield Candidate(scheme, LaneGemmAttr.of(*tile), seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Blocks, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """As for gather-GEMM."""
        tile = op.attributes["kernel"].tile
        return pack_blocks(op, weights, narrow, height=tile.filters, together=tile.blocks)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_conv`."""
        conv = LaneGemm(
            **blocked_sizes(op, target),
        )
        refuse_narrow_input(op, conv.covered, conv.lanes)
        return lane_gemm_kernel(conv, op.epilogue.blocks[0]), self.operands(op)


class LanePooled(GatherPooled):
    """A fused pooling, which takes the same blocks of filters."""

    def alone(self, conv: Any, target: Target, plane: Plane, blocks: BlockCounts) -> float:
        """The convolution without a pooling."""
        sizes = conv_layouts(conv)[1].sizes
        return lane_gemm_seconds(target, plane, sizes, blocks, conv.kernel.tile)


def lane_tiles(layer: Layer, height: int, blocks: int) -> Iterator[LaneGemmTile]:
    """Tiles of as many pixels as registers hold sums for, and what workgroups take of them."""
    rows, width = conv_layouts(layer.op)[1].sizes
    most = max((p for p in range(1, width + 1) if fits(layer.vector, height, 1, p)), default=0)
    if not most:
        return
    parts = -(-width // most)
    pixels = -(-width // parts)
    at_once = range(1, rows + 1 if parts == 1 else 2)
    for together in at_once:
        if not fits(layer.vector, height, together, pixels):
            return
        turns = rows // together
        for step, group in itertools.product({*PIXEL_TILES, turns}, {*BLOCKS, blocks}):
            workgroups = -(-turns // step) * -(-blocks // group)
            if step <= turns and group <= blocks and shares_well(workgroups, turns * blocks):
                yield LaneGemmTile(height, together, pixels, step * together, group)


def fits(vector: Vector, height: int, rows: int, pixels: int) -> bool:
    """Whether registers hold a tile's sums, and the weights and pixels of a column."""
    weights, (loads, _) = height // vector.lanes, pixel_loads(pixels, vector.lanes)
    return rows * (pixels * weights + len(loads)) + weights < vector.registers


def lane_gemm_seconds(
    target: Target,
    plane: Plane,
    sizes: tuple[int, ...],
    blocks: BlockCounts,
    tile: LaneGemmTile,
) -> float:
    """A layer with so many blocks and columns, whose result has planes of `sizes`."""
    rows, width = sizes
    groups = -(-rows // tile.lines)
    all_blocks = sum(count for count, _ in blocks.values())
    cycles = float(groups * -(-all_blocks // tile.blocks) * WORKGROUP_START)
    for lines, high in ((tile.rows, rows // tile.rows), (rows % tile.rows, 1)):
        for pixels, wide in ((tile.pixels, width // tile.pixels), (width % tile.pixels, 1)):
            if lines * pixels:
                cycles += high * wide * tile_cycles(target, plane, blocks, lines, pixels)
    vectors = -(-tile.lines * width // plane.vector.lanes)
    moves = gather_gemm_moves(target, plane, blocks, groups, vectors)
    return plane.images * overlapped(cycles, *moves) / target.cpu_core.clock


def tile_cycles(target: Target, plane: Plane, blocks: BlockCounts, rows: int, pixels: int) -> float:
    """All blocks for one tile."""
    vector, stored = plane.vector, rows * len(pixel_widths(pixels, plane.vector.lanes))
    cycles = 0.0
    for height, (count, columns) in blocks.items():
        tail = tail_cycles(target, plane, height, stored)
        tail += transposing_cycles(target, vector, height, rows, pixels)
        tail += target.cpu_core.tile_start
        cycles += count * tail + columns * column_cycles(target, vector, height, rows, pixels)
    return cycles


def column_cycles(target: Target, vector: Vector, height: int, rows: int, pixels: int) -> float:
    """One column of a tile: load its weights and pixels, and multiply each by each."""
    core, weights = target.cpu_core, height // vector.lanes
    pixel_vectors = rows * len(pixel_loads(pixels, vector.lanes)[0])
    lines = -(-rows * pixels * vector.stored.bytes // LINE_BYTES) + 1
    loads = (weights + pixel_vectors) / core.loads + (INDEX_LOADS + lines) / core.scalar_loads
    return mean(max(rows * pixels * weights / core.multiply_adds, core.latency), loads)


def transposing_cycles(
    target: Target, vector: Vector, height: int, rows: int, pixels: int
) -> float:
    """Shuffles between vectors over filters and vectors over pixels."""
    lanes = vector.lanes
    squares = rows * -(-pixels // lanes) * (height // lanes)
    return squares * lanes * math.log2(lanes) / target.cpu_core.multiply_adds

"""Gather-GEMM: blocks of filters that share columns, of any scheme, and dense layers."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import Blocks, GatherGemmAttr, GatherGemmTile
from niwaki.schemes import Dense, block_columns
from niwaki.targets import Target

from ..choice import Candidate
from ..cost import (
    WORKGROUP_START,
    BlockCounts,
    Plane,
    column_cycles,
    overlapped,
    tail_cycles,
    tile_groups,
)
from ..kernels.gather_gemm import GatherGemm, gather_gemm_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..layers import element_of, takes_depthwise_kernel
from .base import (
    PIXEL_TILES,
    KernelFamily,
    Layer,
    Packed,
    conv_layouts,
    pixel_mask,
    refuse_narrow_layouts,
    shares_well,
)
from .blocks import blocked_sizes, pack_blocks

# Filters of a tile; single ones have a kernel of their own. Below eight a load feeds little
# arithmetic, above them sums leave registers for few vectors of pixels.
HEIGHTS = (2, 4, 6, 8, 12, 16)
# Blocks of filters of a workgroup.
BLOCKS = (1, 2, 4, 8)
# Elements by which an input is asked for that the second-level cache does not hold, at most, and
# the share of that cache for what was asked for. (Measured with 64 channels of 256x256, pruned 8x,
# on Zen 5: 1.6 ms with 192 to 1032 elements, 4.4 without.)
AHEAD = 512
AHEAD_SHARE = 4


class GatherGemmFamily(KernelFamily):
    """Convolutions whose filters come in blocks that share columns."""

    kernel = GatherGemmAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Blocks as they are, and as a dense layer."""
        if takes_depthwise_kernel(layer.op, layer.target):
            return
        for scheme in {layer.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)
            for height in heights(layer, scheme):
                blocks = block_columns(mask, scheme, height, layer.groups)
                count = sum(number for number, _ in blocks.values())
                found = gather_tiles(layer, height, count)
                for vectors, alike in itertools.groupby(found, operator.itemgetter(0)):
                    computing = computing_cycles(layer.target, layer.plane, blocks, vectors)
                    for _, tiles, together in alike:
                        tile = GatherGemmTile(height, vectors, tiles, together)
                        seconds = gather_gemm_seconds(
                            layer.target, layer.plane, blocks, tile, computing
                        )
                        yield Candidate(scheme, GatherGemmAttr.of(*tile), seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Blocks, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Blocks in the order in which workgroups take them."""
        tile = op.attributes["kernel"].tile
        return pack_blocks(op, weights, narrow, height=tile.filters, together=tile.blocks)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """With a mask of pixels."""
        conv = GatherGemm(
            **blocked_sizes(op, target), lean=target.lean_epilogues, ahead=ahead(op, target)
        )
        refuse_narrow_layouts(op, sum(conv.widths), conv.lanes)
        return gather_gemm_kernel(conv, op.epilogue.blocks[0]), self.operands(op, pixel_mask(op))


def ahead(op: Any, target: Target) -> int:
    """How many elements ahead a tile asks for the input of later ones; 0 where caches hold it."""
    source, _ = conv_layouts(op)
    channels, bytes_ = op.input.type.shape[1], element_of(op.input).bytes
    cache = target.cpu_core.cache[1]
    if bytes_ * source.elements(1, channels) <= cache:
        return 0
    fitting = cache // AHEAD_SHARE // (bytes_ * source.planes(1, channels))
    tile = op.kernel.tile.vectors * target.step(element_of(op.input))
    return max(tile, min(AHEAD, fitting))


def heights(layer: Layer, scheme: Any) -> list[int]:
    """Filters of a tile that share columns; none if filters come one by one."""
    low = [height for height in HEIGHTS if height <= layer.most.filters]
    return layer.heights(scheme, low)


def gather_tiles(layer: Layer, height: int, blocks: int) -> Iterator[tuple[int, int, int]]:
    """Vectors of pixels, pixel tiles and blocks of a workgroup, for tiles of `height` filters."""
    # Sums, a vector of input for each column of them, and a weight.
    registers, covering = layer.vector.registers, layer.plane.vectors
    most = min((registers - 1) // (height + 1), layer.most.vectors, covering)
    for vectors in range(1, most + 1):
        whole = max(1, covering // vectors)
        for tiles, together in itertools.product({*PIXEL_TILES, whole}, {*BLOCKS, blocks}):
            workgroups = -(-whole // tiles) * -(-blocks // together)
            if tiles <= whole and together <= blocks and shares_well(workgroups, whole * blocks):
                yield vectors, tiles, together


def computing_cycles(target: Target, plane: Plane, blocks: BlockCounts, vectors: int) -> float:
    """Cycles of all tiles of `vectors` vectors, for one image."""
    return sum(
        repeats
        * (
            columns * column_cycles(target, plane.vector, height, wide)
            + count * (tail_cycles(target, plane, height, wide) + target.cpu_core.tile_start)
        )
        for height, (count, columns) in blocks.items()
        for wide, repeats in plane.cut(vectors)
    )


def gather_gemm_seconds(
    target: Target,
    plane: Plane,
    blocks: BlockCounts,
    tile: GatherGemmTile,
    computing: float | None = None,
) -> float:
    """A layer with so many blocks and columns.

    `computing` are its `computing_cycles`, from who asks for many tiles of as many vectors.
    """
    if computing is None:
        computing = computing_cycles(target, plane, blocks, tile.vectors)
    groups = tile_groups(plane, tile.vectors, tile.tiles)
    all_blocks = sum(count for count, _ in blocks.values())
    cycles = groups * -(-all_blocks // tile.blocks) * WORKGROUP_START + computing
    moves = gather_gemm_moves(target, plane, blocks, groups, tile.vectors * tile.tiles)
    return plane.images * overlapped(cycles, *moves) / target.cpu_core.clock


def gather_gemm_moves(
    target: Target, plane: Plane, blocks: BlockCounts, groups: int, vectors: int
) -> tuple[float, float]:
    """Cycles to move what is read from the second-level cache, and from beyond it.

    A plane is shared by `groups` workgroups of `vectors` vectors each.
    """
    core, vector = target.cpu_core, plane.vector
    all_blocks = sum(count for count, _ in blocks.values())
    columns = sum(kept for _, kept in blocks.values())
    values = sum(vector.stored.bytes * height * kept for height, (_, kept) in blocks.items())
    # The part of the input that a workgroup's tiles cover, which block after block reads.
    width = vector.bytes * vectors
    part = min(plane.channels * width, plane.input_bytes)
    loaded = min(columns * width, all_blocks * part)
    first, second = core.cache
    near = groups * ((loaded if part + values // all_blocks > first else part) + values)
    far = plane.result_bytes if plane.result_bytes > second else 0
    if plane.input_bytes > second:
        far += groups * (loaded if part > second else min(loaded, part))
    if values + part > second:
        far += groups * values
    return near / core.bandwidth[0], far / core.bandwidth[1]

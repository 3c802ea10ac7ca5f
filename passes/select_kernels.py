"""Choose kernel family and tile for each layer from the target's numbers.

    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.block_punched<8, 64>}
      -->
    "sparse_pattern.conv"(%x, %w) {kernel = #sparse_pattern.gather_gemm<8, 3, 2, 8>, ...}

Accumulators of a tile, filters x vectors of pixels, must stay in registers beside one vector of
input each and a broadcast weight; the more filters share a column, the more arithmetic each load
feeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.dialects import (
    ConvOp,
    DepthwiseAttr,
    GatherGemmAttr,
    LinearOp,
    MatvecAttr,
    PatternGemmAttr,
    layout_of,
)
from niwaki.schemes import Pattern, Scheme
from niwaki.targets import Target

from .base import ModulePass, Session, function_ops, target_of
from .layers import groups_of, takes_depthwise_kernel
from .winograd_choice import takes_winograd, winograd_kernel

# Vectors of pixels for each height of the tile (filters), by vector registers. Measured on AVX-512:
# 8 x 3 leaves room for three inputs and a few broadcast weights; 8 x 4 spills.
REGISTER_TILES = {
    32: {8: 3, 4: 5, 2: 8, 1: 8},
    16: {4: 3, 2: 4, 1: 6},
}
# The taps' weights fill many registers already; more vectors at once share more loads.
DEPTHWISE_VECTORS = {32: 5, 16: 4}
GPU_TILES = {8: 2, 4: 4, 2: 4, 1: 4}
F32_BYTES = 4

# Of the vector registers those that hold taps of a pattern; sums and weights need the others.
PATTERN_REGISTERS = {32: 16, 16: 8}

# Filters whose sums wait in cache. The more there are, the more kernels of a channel have the same
# pattern. (Measured with 256 filters in groups of 64, 128, 256: 40, 53, 59 GFLOP/s.)
PATTERN_FILTERS = 256

# Sums of a tile, 256 filters x 4 vectors of 64 bytes: half of the stack that IREE's worker threads
# have, and little enough to leave the second-level cache room for the input.
PATTERN_SUMS = 64 * 1024

# An input that fits the second-level cache is read there block after block; a larger one is read
# once, tile after tile, by all blocks in turn.
CACHE_BYTES = 1024 * 1024

# Workgroups small enough that threads can share them, large enough that starting one costs nothing
# (4 ns each).
WORKGROUP_TILES = 4


@dataclass(frozen=True)
class SelectKernelsPass(ModulePass):
    """Set each layer's `kernel` attribute."""

    name: ClassVar[str] = "sparse-pattern-select-kernels"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        for op in function_ops(module):
            if isinstance(op, ConvOp) and layout_of(op.input.type) is not None:
                op.attributes["kernel"] = conv_kernel(op, target)
            elif isinstance(op, LinearOp):
                op.attributes["kernel"] = linear_kernel(op, target)


def conv_kernel(op: Any, target: Target) -> Any:
    """The kernel of a convolution."""
    if takes_depthwise_kernel(op, target):
        vectors = DEPTHWISE_VECTORS[target.registers]
        return DepthwiseAttr.of(vectors=min(vectors, pixel_vectors(op, target)), channels=1)
    if takes_winograd(op, target):
        return winograd_kernel(op, target)
    if target.backend == "cpu" and takes_pattern_kernel(op.scheme.scheme):
        return pattern_kernel(op, target)
    tiles = GPU_TILES if target.backend == "gpu" else REGISTER_TILES[target.registers]
    height = tile_height(op, tuple(tiles))
    vectors = min(tiles[height], pixel_vectors(op, target))
    if target.backend == "gpu":
        return GatherGemmAttr.of(height, vectors, 1, 1)
    pixel_tiles = max(1, pixel_vectors(op, target) // vectors)
    blocks = -(-op.weight.type.shape[0] // height)
    source = layout_of(op.input.type)
    assert source is not None
    if source.elements(1, op.input.type.shape[1]) * F32_BYTES <= CACHE_BYTES:
        return GatherGemmAttr.of(height, vectors, pixel_tiles, 1)
    return GatherGemmAttr.of(height, vectors, min(WORKGROUP_TILES, pixel_tiles), blocks)


def takes_pattern_kernel(scheme: Scheme) -> bool:
    """Whether kernels have patterns that filters do not share: where they do, columns are shared.

    A pattern of one tap leaves nothing to keep in registers.
    """
    return isinstance(scheme, Pattern) and scheme.filters == 1 and scheme.taps > 1


def pattern_kernel(op: Any, target: Target) -> Any:
    """The pattern kernel: all taps of a few vectors in registers, sums of a tile in cache."""
    filters = min(op.weight.type.shape[0] // groups_of(op), PATTERN_FILTERS)
    in_registers = max(1, PATTERN_REGISTERS[target.registers] // op.scheme.scheme.taps)
    in_cache = PATTERN_SUMS // (filters * target.lanes * F32_BYTES)
    vectors = min(in_registers, in_cache, pixel_vectors(op, target))
    return PatternGemmAttr.of(filters, vectors, WORKGROUP_TILES)


def tile_height(op: Any, heights: tuple[int, ...]) -> int:
    """The tallest tile that the filters of one block of the scheme fill.

    It divides the scheme's blocks, so that only the end of a group of filters is a lower block.
    """
    filters, channels, *kernel = op.weight.type.shape
    groups = groups_of(op)
    group = filters // groups
    shared = op.scheme.scheme.filters_per_block((filters, channels, math.prod(kernel)), groups)
    return max(
        rows for rows in (*heights, 1) if rows <= shared and (shared == group or shared % rows == 0)
    )


def pixel_vectors(op: Any, target: Target) -> int:
    """Vectors that cover a plane of the result."""
    layout = layout_of(op.result.type)
    assert layout is not None
    # A workgroup's threads hold one pixel each: to the kernel they are a vector.
    lanes = target.threads if target.backend == "gpu" else target.lanes
    return -(-layout.extent // lanes)


def linear_kernel(op: Any, target: Target) -> Any:
    """The kernel of a linear layer: vectors over a block's filters, a few rows for each weight."""
    rows = op.input.type.shape[0]
    vectors = {1: 8, 2: 4}.get(rows, 3)
    limit = target.threads if target.backend == "gpu" else vectors * target.lanes
    return MatvecAttr.of(tile_height(op, tuple(range(1, limit + 1))), min(rows, 4))

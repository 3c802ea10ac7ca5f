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

from niwaki import schemes
from niwaki.dialects import (
    ConvOp,
    DepthwiseAttr,
    GatherGemmAttr,
    LinearOp,
    MatvecAttr,
    PatternGemmAttr,
    SpmmAttr,
    layout_of,
)
from niwaki.errors import NiwakiError
from niwaki.schemes import Pattern, Scheme
from niwaki.targets import Target

from .base import ModulePass, Session, function_ops, target_of
from .layers import groups_of, takes_depthwise_kernel, tap_places
from .winograd_choice import takes_winograd, winograd_kernel

# Vectors of pixels for each height of the tile (filters), by vector registers. Measured on AVX-512:
# 8 x 3 leaves room for three inputs and a few broadcast weights; 8 x 4 spills.
REGISTER_TILES = {
    32: {8: 3, 4: 5, 2: 8},
    16: {4: 3, 2: 4},
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

# Sums of a tile, such as 256 filters x 4 vectors of 64 bytes: half of the stack that IREE's worker
# threads have, and little enough to leave the second-level cache room for the input.
SUMS_BYTES = 64 * 1024

# No tile of any kernel has more vectors than this.
MOST_VECTORS = 8

# An input that fits the second-level cache is read there block after block; a larger one is read
# once, tile after tile, by all blocks in turn.
CACHE_BYTES = 1024 * 1024

# Vectors of a tile of one filter: as many multiply-adds as two units of latency 4 have under way.
SPMM_VECTORS = 8

# What a tile of one filter reads again and again should stay in the first-level cache.
NEAREST_CACHE_BYTES = 32 * 1024

# Workgroups small enough that threads can share them, large enough that starting one costs nothing
# (4 ns each).
WORKGROUP_TILES = 4


@dataclass(frozen=True)
class SelectKernelsPass(ModulePass):
    """Set each layer's `kernel` attribute.

    Attributes:
        max_filters: of a convolution's filters so many share what they load, at most. With 1 there
            is no pattern kernel, which would have nothing to share.
        max_vectors: so many vectors of pixels share the load of a weight, at most.

    They are for measuring what sharing gains (benchmarks/ablation.py); by default nothing is lower.
    """

    name: ClassVar[str] = "sparse-pattern-select-kernels"
    max_filters: int = PATTERN_FILTERS
    max_vectors: int = MOST_VECTORS

    def __post_init__(self) -> None:
        if min(self.max_filters, self.max_vectors) < 1:
            raise NiwakiError(f"pass '{self.name}' needs max-filters and max-vectors of 1 or more")

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        for op in function_ops(module):
            if isinstance(op, ConvOp) and layout_of(op.input.type) is not None:
                op.attributes["kernel"] = conv_kernel(
                    op, target, self.max_filters, self.max_vectors
                )
            elif isinstance(op, LinearOp):
                op.attributes["kernel"] = linear_kernel(op, target)


def conv_kernel(op: Any, target: Target, max_filters: int, max_vectors: int) -> Any:
    """The kernel of a convolution."""
    most_vectors = min(max_vectors, pixel_vectors(op, target))
    if takes_depthwise_kernel(op, target):
        vectors = DEPTHWISE_VECTORS[target.registers]
        return DepthwiseAttr.of(vectors=min(vectors, most_vectors), channels=1)
    if min(max_filters, max_vectors) >= MOST_VECTORS and takes_winograd(op, target):
        return winograd_kernel(op, target)
    if target.backend == "cpu" and max_filters > 1 and takes_pattern_kernel(op.scheme.scheme):
        return pattern_kernel(op, target, max_filters, most_vectors)
    tiles = GPU_TILES if target.backend == "gpu" else REGISTER_TILES[target.registers]
    height = tile_height(op, tuple(rows for rows in tiles if rows <= max_filters))
    if height == 1 and target.backend == "cpu":
        return spmm_kernel(op, target, most_vectors)
    vectors = min(tiles[height], most_vectors)
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

    A pattern of one tap leaves nothing to keep in registers, and of too many patterns hardly two
    filters have the same one.
    """
    if not isinstance(scheme, Pattern) or scheme.filters > 1:
        return False
    return scheme.taps > 1 and scheme.patterns <= schemes.AVX512.patterns


def pattern_kernel(op: Any, target: Target, max_filters: int, most_vectors: int) -> Any:
    """The pattern kernel: all taps of a few vectors in registers, sums of a tile in cache."""
    filters = min(op.weight.type.shape[0] // groups_of(op), PATTERN_FILTERS, max_filters)
    in_registers = max(1, PATTERN_REGISTERS[target.registers] // op.scheme.scheme.taps)
    in_cache = SUMS_BYTES // (filters * target.lanes * F32_BYTES)
    vectors = min(in_registers, in_cache, most_vectors)
    return PatternGemmAttr.of(filters, vectors, WORKGROUP_TILES)


def spmm_kernel(op: Any, target: Target, most_vectors: int) -> Any:
    """One filter at a time: tiles of equal size, in as few parts as the nearest cache can hold."""
    (filters, *_), covering = op.weight.type.shape, pixel_vectors(op, target)
    vectors = -(-covering // -(-covering // min(SPMM_VECTORS, most_vectors)))
    pixels, channels = vectors * target.lanes, op.input.type.shape[1]
    # In groups a filter reads few channels.
    read = channels * window_elements(op, pixels) * F32_BYTES if groups_of(op) == 1 else 0
    parts = min(max(1, -(-read // NEAREST_CACHE_BYTES)), channels)
    in_cache = SUMS_BYTES // (pixels * F32_BYTES)
    return SpmmAttr.of(min(filters, in_cache), vectors, WORKGROUP_TILES, parts)


def window_elements(op: Any, pixels: int) -> int:
    """Elements of one channel that `pixels` neighbouring pixels of the result read."""
    reach: dict[int, list[int]] = {}
    for phase, distance in tap_places(op):
        reach.setdefault(phase, []).append(distance)
    return sum(pixels + max(distances) - min(distances) for distances in reach.values())


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

"""The kernels that a layer can have, each with the time it is estimated to take.

    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.block_punched<8, 64>}
      -->
    block_punched(8x64)  gather_gemm 8x3 tiles 4 blocks 8    31 us
    block_punched(8x64)  gather_gemm 4x5 tiles 4 blocks 16   34 us
    dense                gather_gemm 8x3 tiles 4 blocks 8   190 us
    ...

A family is a function in `FAMILIES` that yields candidates; a new one is a function more. Each
comes with a scheme, since any layer may be computed as a dense one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.dialects import (
    DepthwiseAttr,
    GatherGemmAttr,
    LinearOp,
    MatvecAttr,
    PatternGemmAttr,
    SpmmAttr,
    layout_of,
)
from niwaki.schemes import AVX512, Dense, Pattern, Scheme, SchemeError, block_columns
from niwaki.targets import Target

from .base import PassFailure
from .choice import Candidate
from .cost import (
    F32_BYTES,
    Plane,
    depthwise_seconds,
    gather_gemm_seconds,
    matvec_seconds,
    pattern_gemm_seconds,
    spmm_seconds,
)
from .kernels.rows import vector_widths
from .layers import groups_of, layer_weights, planar_input, takes_depthwise_kernel, tap_places
from .winograd_choice import has_form, winograd_kernel, winograd_seconds

# Filters of a tile of gather-GEMM; single ones have a kernel of their own. Below eight a load feeds
# little arithmetic, above them sums leave registers for few vectors of pixels.
HEIGHTS = (2, 4, 6, 8, 12, 16)
PIXEL_TILES = (1, 2, 4, 8, 16)
BLOCKS = (1, 2, 4, 8)
# Workgroups that a layer is cut into where it can be, so that threads find some.
WORKGROUPS = 8

# Filters whose sums wait in cache. The more there are, the more kernels of a channel have the same
# pattern. (Measured with 256 filters in groups of 64, 128, 256: 40, 53, 59 GFLOP/s.)
PATTERN_FILTERS = (64, 128, 256)
# No tile of a convolution has more filters or vectors than this.
MOST_FILTERS = 256
MOST_VECTORS = 12
# Sums of a tile, such as 256 filters x 4 vectors of 64 bytes: half of the stack that IREE's worker
# threads have, and little enough to leave the second-level cache room for the input.
SUMS_BYTES = 64 * 1024

# Vectors of a tile of one filter: as many multiply-adds as two units of latency 4 have under way.
SPMM_VECTORS = 8

# The taps' weights fill many registers already; more vectors at once share more loads.
DEPTHWISE_VECTORS = (1, 2, 3, 4, 5)
DEPTHWISE_CHANNELS = (1, 2, 4, 8)
# Rows of a linear layer that share each weight, and vectors of filters, at most.
LINEAR_ROWS = 4
LINEAR_VECTORS = 8

GPU_TILES = {8: 2, 4: 4, 2: 4, 1: 4}


@dataclass(frozen=True)
class Most:
    """What candidates are held to: filters and vectors of a tile, and Winograd's algorithm."""

    filters: int = MOST_FILTERS
    vectors: int = MOST_VECTORS
    winograd: bool = True


@dataclass(frozen=True)
class Conv:
    """A convolution with layouts, and what estimates ask of it."""

    op: Any
    target: Target
    most: Most

    @cached_property
    def plane(self) -> Plane:
        source, result = planar_input(self.op), layout_of(self.op.result.type)
        assert result is not None
        images, channels = self.op.input.type.shape[:2]
        return Plane(
            images,
            pixel_vectors(self.op, self.target),
            vector_widths(result.extent, self.target.lanes)[-1] / self.target.lanes,
            source.planes(1, channels),
            F32_BYTES * source.elements(1, channels),
            F32_BYTES * result.elements(1, self.op.result.type.shape[1]),
            len(self.op.per_position),
        )

    @cached_property
    def weights(self) -> Any:
        """Filters x channels of a group x taps."""
        return layer_weights(self.op)

    @property
    def groups(self) -> int:
        return groups_of(self.op)

    def heights(self, scheme: Scheme) -> list[int]:
        """Filters of a tile that share columns; none if filters come one by one."""
        low = [height for height in HEIGHTS if height <= self.most.filters]
        return tile_heights(self.op, scheme, low)

    def stored(self, scheme: Scheme) -> Any:
        """Positions ``bool[F, C, T]`` that `scheme` stores."""
        return stored(self.op, self.weights, scheme)


def candidates(op: Any, target: Target, most: Most = Most()) -> list[Candidate]:
    """Every candidate of a layer, `ConvOp` or `LinearOp`; convolutions have layouts.

    On a GPU there is one, without an estimate.
    """
    if target.backend == "gpu":
        return [gpu_candidate(op, target, most)]
    if isinstance(op, LinearOp):
        return list(matvec(op, target))
    conv = Conv(op, target, most)
    return [candidate for family in FAMILIES for candidate in family(conv)]


def depthwise(conv: Conv) -> Iterator[Candidate]:
    """One filter a channel: the only kernel for that, since layouts are made for it."""
    if not takes_depthwise_kernel(conv.op, conv.target):
        return
    filters, width = conv.weights.shape[0], conv.op.weight.type.shape[-1]
    rows = conv.weights.shape[2] // width
    for tile in itertools.product(DEPTHWISE_VECTORS, DEPTHWISE_CHANNELS):
        if tile[0] > min(conv.plane.vectors, conv.most.vectors) or not shares_well(
            -(-filters // tile[1]), filters
        ):
            continue
        seconds = depthwise_seconds(conv.target, conv.plane, rows, width, tile)
        yield Candidate(Dense(), DepthwiseAttr.of(*tile), seconds)


def pattern_gemm(conv: Conv) -> Iterator[Candidate]:
    """Kernels with patterns that filters do not share: where they do, columns are shared.

    A pattern of one tap leaves nothing to keep in registers, and of too many patterns hardly two
    filters have the same one.
    """
    scheme = conv.op.scheme.scheme
    if not isinstance(scheme, Pattern) or scheme.filters > 1 or scheme.taps == 1:
        return
    if conv.most.filters == 1 or scheme.patterns > AVX512.patterns:
        return
    filters, kept = conv.weights.shape[0], (conv.weights != 0).any(axis=2)
    limit = min(conv.most.filters, filters // conv.groups)
    for height in sorted({min(height, limit) for height in PATTERN_FILTERS}):
        starts = pattern_starts(kept, height, scheme.patterns)
        in_registers = conv.target.registers // 2 // scheme.taps
        in_cache = SUMS_BYTES // (height * conv.target.lanes * F32_BYTES)
        most = max(1, min(in_registers, in_cache, conv.plane.vectors, conv.most.vectors))
        for vectors, tiles in itertools.product(range(1, most + 1), PIXEL_TILES):
            whole = max(1, conv.plane.vectors // vectors)
            if tiles > whole or not shares_well(-(-whole // tiles), whole):
                continue
            tile, work = (height, vectors, tiles), (int(kept.sum()), starts, scheme.taps, filters)
            seconds = pattern_gemm_seconds(conv.target, conv.plane, *work, tile)
            yield Candidate(scheme, PatternGemmAttr.of(*tile), seconds)


def pattern_starts(kept: Any, height: int, patterns: int) -> float:
    """How often taps of a pattern are loaded, all patterns being equally frequent.

    ``kept[F, C]`` are the kernels that have one; kernels of a channel and of a group of `height`
    filters share loads.
    """
    counts = np.add.reduceat(kept, np.arange(0, len(kept), height), axis=0, dtype=np.int64)
    return float((patterns * (1 - (1 - 1 / patterns) ** counts)).sum())


def spmm(conv: Conv) -> Iterator[Candidate]:
    """Filters that share no columns with others come one by one, in tiles of about equal size.

    The input's channels come in as few parts as the nearest cache can hold.
    """
    scheme, target = conv.op.scheme.scheme, conv.target
    if takes_depthwise_kernel(conv.op, target) or conv.heights(scheme):
        return
    filters, covering = conv.weights.shape[0], conv.plane.vectors
    columns = int(np.count_nonzero(conv.stored(scheme)))
    limits = range(1, min(SPMM_VECTORS, conv.most.vectors) + 1)
    for vectors in sorted({-(-covering // -(-covering // limit)) for limit in limits}):
        pixels, channels = vectors * target.lanes, conv.op.input.type.shape[1]
        # In groups a filter reads few channels.
        width = F32_BYTES * window_elements(conv.op, pixels)
        read = channels * width if conv.groups == 1 else 0
        parts = min(max(1, -(-read // nearest_cache_bytes(target))), channels)
        height = min(filters, SUMS_BYTES // (pixels * F32_BYTES))
        for tiles in PIXEL_TILES:
            workgroups = -(-covering // (vectors * tiles))
            if tiles > 1 and not shares_well(workgroups, covering // vectors):
                continue
            tile = (height, vectors, tiles, parts)
            seconds = spmm_seconds(target, conv.plane, filters, columns, tile)
            yield Candidate(scheme, SpmmAttr.of(*tile), seconds)


def nearest_cache_bytes(target: Target) -> int:
    """What a tile of one filter reads again and again should stay in the first-level cache."""
    return target.cpu_core.cache[0]


def window_elements(op: Any, pixels: int) -> int:
    """Elements of one channel that `pixels` neighbouring pixels of the result read."""
    reach: dict[int, list[int]] = {}
    for phase, distance in tap_places(op):
        reach.setdefault(phase, []).append(distance)
    return sum(pixels + max(distances) - min(distances) for distances in reach.values())


def gather_gemm(conv: Conv) -> Iterator[Candidate]:
    """Blocks of filters that share columns, as they are and as a dense layer."""
    if takes_depthwise_kernel(conv.op, conv.target):
        return
    for scheme in {conv.op.scheme.scheme: None, Dense(): None}:
        mask = conv.stored(scheme)
        for height in conv.heights(scheme):
            blocks = block_columns(mask, scheme, height, conv.groups)
            count = sum(number for number, _ in blocks.values())
            for vectors, tiles, group in gather_tiles(conv, height, count):
                tile = (height, vectors, tiles, group)
                seconds = gather_gemm_seconds(conv.target, conv.plane, blocks, tile)
                yield Candidate(scheme, GatherGemmAttr.of(*tile), seconds)


def gather_tiles(conv: Conv, height: int, blocks: int) -> Iterator[tuple[int, int, int]]:
    """Vectors of pixels, pixel tiles and blocks of a workgroup, for tiles of `height` filters."""
    # Sums, a vector of input for each column of them, and a weight.
    most = min((conv.target.registers - 1) // (height + 1), conv.most.vectors, conv.plane.vectors)
    for vectors in range(1, most + 1):
        whole = max(1, conv.plane.vectors // vectors)
        for tiles, group in itertools.product({*PIXEL_TILES, whole}, {*BLOCKS, blocks}):
            workgroups = -(-whole // tiles) * -(-blocks // group)
            if tiles <= whole and group <= blocks and shares_well(workgroups, whole * blocks):
                yield vectors, tiles, group


def shares_well(workgroups: int, tiles: int) -> bool:
    """Whether threads can share the work: a few workgroups for each, where it has as many tiles."""
    return workgroups >= min(tiles, WORKGROUPS)


def winograd(conv: Conv) -> Iterator[Candidate]:
    """Large tiles of 3x3 convolutions, as a dense layer: transformed weights know no zeros."""
    if conv.most != Most() or not has_form(conv.op):
        return
    seconds = winograd_seconds(conv.op, conv.target)
    yield Candidate(Dense(), winograd_kernel(conv.op, conv.target), seconds)


FAMILIES: tuple[Callable[[Conv], Iterator[Candidate]], ...] = (
    depthwise,
    pattern_gemm,
    spmm,
    gather_gemm,
    winograd,
)


def matvec(op: Any, target: Target) -> Iterator[Candidate]:
    """Linear layers: vectors over a block's filters, a few rows for each weight."""
    rows, weights = op.input.type.shape[0], layer_weights(op)
    together = min(rows, LINEAR_ROWS)
    most = min(LINEAR_VECTORS, (target.registers - 1) // (together + 1))
    limits = [vectors * target.lanes for vectors in range(1, most + 1)]
    for scheme in {op.scheme.scheme: None, Dense(): None}:
        mask = stored(op, weights, scheme)
        for height in sorted({tile_heights(op, scheme, range(1, top + 1))[-1] for top in limits}):
            blocks = block_columns(mask, scheme, height)
            seconds = matvec_seconds(target, blocks, rows, together)
            yield Candidate(scheme, MatvecAttr.of(height, together), seconds)


def gpu_candidate(op: Any, target: Target, most: Most) -> Candidate:
    """The kernel on a GPU, whose threads hold one pixel, or one filter, each."""
    scheme = op.scheme.scheme
    if isinstance(op, LinearOp):
        height = tile_heights(op, scheme, range(1, target.threads + 1))[-1]
        return Candidate(scheme, MatvecAttr.of(height, min(op.input.type.shape[0], LINEAR_ROWS)))
    heights = [height for height in sorted(GPU_TILES) if height <= most.filters]
    height = tile_heights(op, scheme, heights)[-1]
    vectors = min(GPU_TILES[height], pixel_vectors(op, target), most.vectors)
    return Candidate(scheme, GatherGemmAttr.of(height, vectors, 1, 1))


def stored(op: Any, weights: npt.NDArray[Any], scheme: Scheme) -> npt.NDArray[np.bool_]:
    """Positions ``bool[F, C, T]`` of a layer's weights that `scheme` stores.

    Raises:
        PassFailure: the layer has a scheme that does not fit its weights, which detection avoids.
    """
    try:
        return scheme.mask(weights != 0, groups_of(op))
    except SchemeError as error:
        raise PassFailure(op.location, str(error)) from error


def tile_heights(op: Any, scheme: Scheme, heights: Sequence[int]) -> list[int]:
    """Those of `heights`, which ascend, that the filters of one block of the scheme fill.

    They divide the scheme's blocks, so that only the end of a group of filters is a lower block.
    """
    filters, channels, *kernel = op.weight.type.shape
    groups = groups_of(op)
    group = filters // groups
    shared = scheme.filters_per_block((filters, channels, math.prod(kernel)), groups)
    return [rows for rows in heights if rows <= shared and (shared == group or shared % rows == 0)]


def pixel_vectors(op: Any, target: Target) -> int:
    """Vectors that cover a plane of the result."""
    layout = layout_of(op.result.type)
    assert layout is not None
    # A workgroup's threads hold one pixel each: to the kernel they are a vector.
    lanes = target.threads if target.backend == "gpu" else target.lanes
    return -(-layout.extent // lanes)

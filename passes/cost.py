"""How long kernels take on one core, estimated from their loop nests and the target's numbers.

A kernel's time is what its busiest unit needs: multiply-adds, loads, stores, or what moves data
between caches. The numbers in `Core` are a machine's. Those here are of the kernels' code.

The constants were fitted on AVX-512 (Zen 4) to 132 kernels of ResNet-50, VGG-16 and MobileNetV2,
and were off by 11 % there (root mean square), by 44 % at most. Estimates of `spmm` and of strided
depthwise kernels, and the numbers of other cores, have not been compared with measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from niwaki.targets import Target

from .kernels.matvec import chains

F32_BYTES = 4
# Of a column besides its vectors and weights: where it is read, now and ahead.
INDEX_LOADS = 2
# Cycles to start a workgroup: IREE takes 4 ns.
WORKGROUP_START = 15
# A vector that begins anywhere lies in two cache lines more often than not.
STRADDLING = 1.5
# Of the time to move data between caches, what prefetching does not hide. Alone, with its weights
# still in a cache, a kernel shows less of it than in a network.
EXPOSED = 0.05
# Of the bandwidth, what a linear layer's weights get that come in one stream.
ONE_STREAM = 0.8
# Units that are equally busy get in each other's way. This high a mean is nearly the maximum.
EXPONENT = 6

# For each number of filters that blocks have: how many such blocks, and their columns in all, as
# `niwaki.schemes.block_columns` counts them.
Blocks = Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Plane:
    """What a convolution reads and writes, as far as estimates need it.

    Attributes:
        images: how many.
        vectors: vectors that cover a plane of the result.
        last: width of the last one as a share of a vector, where a narrower tile takes it.
        channels: planes of the input, those of all phases.
        input_bytes, result_bytes: of one image.
        extras: operands of the tail for each position.
    """

    images: int
    vectors: int
    last: float
    channels: int
    input_bytes: int
    result_bytes: int
    extras: int

    def cut(self, vectors: int) -> list[tuple[float, int]]:
        """Tiles of `vectors` vectors, and a narrower last one: (vectors, how many tiles)."""
        whole, rest = divmod(self.vectors, vectors)
        tiles = [(float(vectors), whole), (rest - 1 + self.last if rest else 0.0, 1)]
        return [(wide, count) for wide, count in tiles if wide * count]


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


def gather_gemm_seconds(
    target: Target, plane: Plane, blocks: Blocks, tile: tuple[int, int, int, int]
) -> float:
    """Gather-GEMM with a tile of filters, vectors, pixel tiles and blocks of a workgroup."""
    core = target.cpu_core
    _, vectors, tiles, group = tile
    groups = tile_groups(plane, vectors, tiles)
    all_blocks = sum(count for count, _ in blocks.values())
    cycles = float(groups * -(-all_blocks // group) * WORKGROUP_START)
    for rows, (count, columns) in blocks.items():
        for wide, repeats in plane.cut(vectors):
            inner = columns * column_cycles(target, rows, wide)
            cycles += repeats * (inner + count * tail_cycles(target, plane, rows, wide))
    moves = gather_gemm_moves(target, plane, blocks, groups, vectors * tiles)
    return plane.images * overlapped(cycles, *moves) / core.clock


def column_cycles(target: Target, rows: int, vectors: float) -> float:
    """One column of a tile: load its vectors, and for each row a weight and multiply-adds."""
    core, sums = target.cpu_core, rows * vectors
    # Too few sums do not hide how long each takes.
    multiply_adds = max(sums / core.multiply_adds, core.latency)
    # Lines are asked for ahead: one more than there are vectors.
    single = (rows + INDEX_LOADS + vectors + 1) / core.scalar_loads
    # Sums that no register holds are loaded and stored each time.
    spilled = max(0, sums + vectors + 1 - target.registers)
    loads = (vectors * STRADDLING + spilled) / core.loads + single
    return mean(multiply_adds, loads, spilled / core.stores)


def tail_cycles(target: Target, plane: Plane, rows: int, vectors: float) -> float:
    """The end of a tile: what comes with each position is loaded, results are stored."""
    core = target.cpu_core
    return rows * vectors * (1 / core.stores + plane.extras * STRADDLING / core.loads)


def gather_gemm_moves(
    target: Target, plane: Plane, blocks: Blocks, groups: int, vectors: int
) -> tuple[float, float]:
    """Cycles to move what is read from the second-level cache, and from beyond it.

    A plane is shared by `groups` workgroups of `vectors` vectors each.
    """
    core = target.cpu_core
    all_blocks = sum(count for count, _ in blocks.values())
    columns = sum(kept for _, kept in blocks.values())
    values = sum(F32_BYTES * rows * kept for rows, (_, kept) in blocks.items())
    # The part of the input that a workgroup's tiles cover, which block after block reads.
    width = F32_BYTES * target.lanes * vectors
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


def gather_pool_seconds(
    target: Target, plane: Plane, blocks: Blocks, windows: Windows, tile: tuple[int, ...]
) -> float:
    """Gather-GEMM with a maximum over windows, with a tile as `GatherPoolAttr` has it."""
    core = target.cpu_core
    _, together, vectors, lines, group = tile
    groups, turns = -(-windows.lines // lines), windows.lines * windows.rows // together
    all_blocks = sum(count for count, _ in blocks.values())
    cycles = float(groups * -(-all_blocks // group) * WORKGROUP_START)
    whole, rest = divmod(windows.vectors, vectors)
    for height, (count, columns) in blocks.items():
        for wide, repeats in ((together * vectors, whole), (together * rest, rest > 0)):
            inner = columns * column_cycles(target, height, wide)
            tail = count * tail_cycles(target, plane, height, wide)
            cycles += turns * repeats * (inner + tail)
    covered = round(lines * windows.rows * windows.vectors)
    moves = gather_gemm_moves(target, plane, blocks, groups, covered)
    return plane.images * overlapped(cycles, *moves) / core.clock


def spmm_seconds(
    target: Target, plane: Plane, filters: int, columns: int, tile: tuple[int, int, int, int]
) -> float:
    """Single filters with a tile of filters, vectors, pixel tiles, and channels in parts.

    `columns` are those of all filters. The input is in the nearest cache.
    """
    core = target.cpu_core
    height, vectors, tiles, parts = tile
    groups = tile_groups(plane, vectors, tiles)
    cycles = float(groups * -(-filters // height) * WORKGROUP_START)
    for wide, repeats in plane.cut(vectors):
        # A weight and where it is read.
        loads = wide * STRADDLING / core.loads + 2 / core.scalar_loads
        multiply_adds = max(wide / core.multiply_adds, core.latency)
        sums = (parts - 1) * filters * wide * (1 / core.loads + 1 / core.stores)
        tail = tail_cycles(target, plane, filters, wide)
        cycles += repeats * (columns * mean(multiply_adds, loads) + sums + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock


def pattern_gemm_seconds(
    target: Target,
    plane: Plane,
    kernels: int,
    starts: float,
    taps: int,
    filters: int,
    tile: tuple[int, int, int],
) -> float:
    """The pattern kernel with a tile of filters, vectors and pixel tiles of a workgroup.

    Args:
        target: the machine.
        plane: what is read and written.
        kernels: kept kernels of the layer.
        starts: how often a pattern's taps are loaded for a tile, over all groups of filters.
        taps: of a pattern.
        filters: of the layer.
        tile: see `PatternGemmAttr`.
    """
    core = target.cpu_core
    height, vectors, tiles = tile
    groups = tile_groups(plane, vectors, tiles)
    cycles = float(groups * -(-filters // height) * WORKGROUP_START)
    for wide, repeats in plane.cut(vectors):
        # Sums wait in cache: each is loaded and stored for each kernel.
        loads = wide / core.loads + (taps + INDEX_LOADS) / core.scalar_loads
        multiply_adds = max(taps * wide / core.multiply_adds, core.latency)
        inner = kernels * mean(multiply_adds, loads + wide / core.stores)
        taps_loaded = starts * taps * wide * STRADDLING / core.loads
        end = filters * wide * (1 / core.stores + 1 / core.loads)
        tail = tail_cycles(target, plane, filters, wide)
        cycles += repeats * (inner + taps_loaded + end + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock


def depthwise_seconds(
    target: Target, plane: Plane, rows: int, width: int, tile: tuple[int, int]
) -> float:
    """The depthwise kernel with a tile of vectors, and channels of a workgroup.

    Its kernels are `rows` rows of `width` taps. Vectors for the taps of a row are cut from the same
    loads (`sliding.py`): one more than there are vectors, and shuffles.
    """
    core = target.cpu_core
    vectors, channels = tile
    cycles = float(-(-plane.channels // channels) * WORKGROUP_START)
    for wide, repeats in plane.cut(vectors):
        multiply_adds = rows * width * max(wide / core.multiply_adds, core.latency)
        loads = rows * min(wide + 1, width * wide) * STRADDLING / core.loads
        shuffles = rows * max(0, width - 2) * wide / core.multiply_adds
        tail = tail_cycles(target, plane, 1, wide)
        cycles += plane.channels * repeats * (mean(multiply_adds, loads + shuffles) + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock


def matvec_seconds(target: Target, blocks: Blocks, rows: int, together: int) -> float:
    """A linear layer of `rows` rows, of which `together` share a weight."""
    core = target.cpu_core
    cycles = values = 0.0
    for height, (count, columns) in blocks.items():
        vectors = -(-height // target.lanes)
        sums = together * vectors
        parts, turns = chains(height, together, target.lanes)
        waits = core.latency / (parts * turns)
        multiply_adds = max(sums / core.multiply_adds, waits)
        loads = vectors / core.loads + (together + INDEX_LOADS) / core.scalar_loads
        cycles += columns * mean(multiply_adds, loads) + count * WORKGROUP_START
        values += F32_BYTES * height * columns / (ONE_STREAM if parts == 1 else 1)
    moved = values / core.bandwidth[values > core.cache[1]]
    return -(-rows // together) * overlapped(cycles, moved) / core.clock


def pool_seconds(target: Target, vectors: int, taps: int, input_bytes: int) -> float:
    """A pooling of every second pixel, of one image: `vectors` of results, of `taps` pixels each.

    A tap takes two loads, of which the next columns' read the same lines again.
    """
    core = target.cpu_core
    cycles = vectors * (2 * taps * STRADDLING / core.loads + 1 / core.stores)
    moved = input_bytes / core.bandwidth[input_bytes > core.cache[1]]
    return overlapped(cycles, moved) / core.clock


def tile_groups(plane: Plane, vectors: int, tiles: int) -> int:
    """Workgroups that share a plane, of `tiles` tiles each; the last takes a narrower one too."""
    return max(1, -(-(plane.vectors // vectors) // tiles))


def beyond(target: Target, plane: Plane) -> float:
    """Cycles to move what does not fit the second-level cache."""
    core = target.cpu_core
    large = [size for size in (plane.input_bytes, plane.result_bytes) if size > core.cache[1]]
    return sum(large) / core.bandwidth[1]


def overlapped(cycles: float, *moves: float) -> float:
    """Cycles of computing, and of the moves of data that go on meanwhile."""
    return mean(cycles, *moves) + EXPOSED * sum(moves)


def mean(*busy: float) -> float:
    """A little more than the busiest."""
    most = max(busy)
    return most and most * sum((cycles / most) ** EXPONENT for cycles in busy) ** (1 / EXPONENT)

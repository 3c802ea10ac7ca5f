"""What estimates of kernels have in common: units of a core that work at the same time, and tiles.

How long a family takes on one core is estimated in its file, from its loop nest. A kernel's time
is what its busiest unit needs: multiply-adds, loads, stores, or what moves data between caches. The
numbers in `Core` are a machine's. Those here are of the kernels' code.

The constants were fitted on AVX-512 (Zen 4) to 132 kernels of ResNet-50, VGG-16 and MobileNetV2,
and were off by 11 % there (root mean square), by 44 % at most. With Zen 5's numbers they were
compared with 658 kernels of all families. Estimates of strided depthwise kernels, and the numbers
of other cores, have not been compared with measurements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from niwaki.targets import Target, Vector

# Of a column besides its vectors and weights: where it is read, now and ahead.
INDEX_LOADS = 2
# Cycles to start a workgroup: IREE takes 4 ns.
WORKGROUP_START = 15
# Of the time to move data between caches, what prefetching does not hide. Alone, with its weights
# still in a cache, a kernel shows less of it than in a network.
EXPOSED = 0.05
# Of the bandwidth, what a linear layer's weights get that come in one stream.
ONE_STREAM = 0.8
# Units that are equally busy get in each other's way. This high a mean is nearly the maximum.
EXPONENT = 6

# For each number of filters that blocks have: how many such blocks, and their columns in all, as
# `niwaki.schemes.block_columns` counts them.
BlockCounts = Mapping[int, tuple[int, int]]


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
        vector: how the target computes with the elements.
    """

    images: int
    vectors: int
    last: float
    channels: int
    input_bytes: int
    result_bytes: int
    extras: int
    vector: Vector

    def cut(self, vectors: int) -> list[tuple[float, int]]:
        """Tiles of `vectors` vectors, and a narrower last one: (vectors, how many tiles)."""
        whole, rest = divmod(self.vectors, vectors)
        tiles = [(float(vectors), whole), (rest - 1 + self.last if rest else 0.0, 1)]
        return [(wide, count) for wide, count in tiles if wide * count]


def column_cycles(
    target: Target, vector: Vector, height: int, vectors: float, straddling: float | None = None
) -> float:
    """One column of a tile: load its vectors, and for each filter a weight and multiply-adds.

    Vectors begin anywhere, unless `straddling` says how much longer than one within a line they
    take.
    """
    core, sums = target.cpu_core, height * vectors
    straddling = core.straddling if straddling is None else straddling
    weights = -(-height // vector.weight_lanes)
    # Too few sums do not hide how long each takes.
    multiply_adds = max(sums / core.multiply_adds, core.latency)
    # Lines are asked for ahead: one more than there are vectors.
    single = (weights + INDEX_LOADS + vectors + 1) / core.scalar_loads
    # Sums that no register holds are loaded and stored each time.
    spilled = max(0, sums + vectors + 1 - vector.registers)
    loads = (vectors * straddling + spilled) / core.loads + single
    return mean(multiply_adds, loads, spilled / core.stores)


def tail_cycles(target: Target, plane: Plane, height: int, vectors: float) -> float:
    """The end of a tile: what comes with each position is loaded, results are stored."""
    core = target.cpu_core
    return height * vectors * (1 / core.stores + plane.extras * core.straddling / core.loads)


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

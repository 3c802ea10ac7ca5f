"""Pattern kernel: the taps of a pattern stay in registers for all filters that have it.

    for each tile of pixels:
      sums[filters] = 0
      for each input channel, for each pattern that some kernel of the channel has:
        x[taps][vectors] = load input[channel, tap of the pattern + pixel]    once
        for each kernel with this pattern:
          sums[filter of the kernel] += sum over taps of weight * x[tap]
      store select(pixel or halo, epilogue(sums), 0)

PatDNN's load redundancy elimination (https://arxiv.org/abs/2001.00138). What is stored for a kernel
is its filter and its weights; patterns are in the code, so that no tap has an index and no kernel a
branch. Sums wait in a buffer of their own, which stays in cache for a tile: planes of the result
lie in as many pages as there are filters, more than address translation remembers.

    workgroup x: group of filters, y: group of pixel tiles, z: image
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import PatternGemmTile, Patterns, Planar, round_up

from .accesses import (
    L2,
    load,
    load_as,
    load_each,
    load_index,
    load_mask,
    load_unsigned,
    prefetch,
    store,
)
from .control import fold_range, for_range, when
from .epilogue import finished, sum_type
from .gather_gemm import touched_lines
from .indices import Index, above, as_value, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .local_buffers import local_vectors
from .operands import Memory
from .rows import zero_ends
from .vectors import float_constant, fma, select_or_zero, splat


@dataclass(frozen=True, kw_only=True)
class PatternGemm:
    """A convolution as this kernel sees it.

    Attributes:
        input, result: layouts, with equal pitches.
        images, channels, filters, groups: sizes of the convolution; channels of one group.
        tile: of a group of filters, at most, and of pixels.
        patterns: for each pattern the distances of its taps from the output pixel, in elements.
        lanes: f32 values of a vector.
        weight_lanes: weights that are loaded at once.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    filters: int
    groups: int
    tile: PatternGemmTile
    patterns: tuple[tuple[int, ...], ...]
    lanes: int
    weight_lanes: int

    @property
    def covered(self) -> int:
        """Elements of a plane of the result that are computed: whole vectors."""
        return round_up(self.result.extent, self.lanes)


@dataclass(frozen=True)
class _Place:
    """A workgroup's part: first filter and how many, where they lie, where the input begins.

    `sums` is the buffer for those of a tile.
    """

    sums: ir.Value
    group: Index
    first: Index
    rows: Index
    write: Index
    read: Index


def pattern_gemm_kernel(conv: PatternGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Patterns`, and a mask."""
    vectors = conv.covered // conv.lanes
    size = conv.tile
    whole, rest = divmod(vectors, size.vectors)
    tile_groups = max(1, -(-whole // size.tiles))
    of_group = conv.filters // conv.groups
    per_group = -(-of_group // size.filters)
    planes = len(conv.input.phases) * conv.input.plane

    def emit(memory: Memory[Patterns[ir.Value]], workgroup: Workgroup) -> None:
        group, y, image = workgroup
        conv_group, inner = group // per_group, group % per_group * size.filters
        first = conv_group * of_group + inner
        channel = image * (conv.channels * conv.groups) + conv_group * conv.channels
        place = _Place(
            local_vectors(
                size.filters * min(size.vectors, vectors), conv.lanes, sum_type(epilogue)
            ),
            group,
            first,
            minimum(Index(size.filters), of_group - inner),
            (image * conv.filters + first) * conv.result.plane + conv.result.lead,
            channel * planes + conv.input.lead,
        )
        if whole:
            begin = y * size.tiles
            with for_range(begin, minimum(begin + size.tiles, whole)) as number:
                pixel = number * (size.vectors * conv.lanes)
                _tile(conv, epilogue, memory, place, pixel, size.vectors)

        def finish() -> None:
            if rest:
                pixel = Index(whole * size.vectors * conv.lanes)
                _tile(conv, epilogue, memory, place, pixel, rest)
            zero_ends(memory.result, place.write, place.rows, conv.result, conv.covered, conv.lanes)

        if tile_groups == 1:
            finish()
            return
        with when(equal(y, tile_groups - 1)):
            finish()

    workgroups = (conv.groups * per_group, tile_groups, conv.images)
    key, layouts = (conv, epilogue_key(epilogue)), (conv.input, conv.result)
    return Kernel("pattern_gemm", key, workgroups, emit, *layouts, takes_memory=True)


def _tile(
    conv: PatternGemm,
    epilogue: ir.Block,
    memory: Memory[Patterns[ir.Value]],
    place: _Place,
    pixel: Index,
    vectors: int,
) -> None:
    """All filters of a workgroup for the vectors of pixels from `pixel` on."""
    lanes, kind = conv.lanes, sum_type(epilogue)
    zeros = float_constant(0.0, kind, lanes)
    with for_range(0, place.rows) as row:
        for i in range(vectors):
            store(zeros, place.sums, row * vectors + i)
    _accumulate(conv, kind, memory, place, pixel, vectors)
    masks = [load_mask(memory.mask, pixel + i * lanes, lanes) for i in range(vectors)]
    with for_range(0, place.rows) as row:
        per_filter = [load(buffer, place.first + row) for buffer in memory.per_filter]
        for i, inside in enumerate(masks):
            at = place.write + row * conv.result.plane + (pixel + i * lanes)
            total = load(place.sums, row * vectors + i)
            value = finished(epilogue, total, per_filter, memory.per_position, at, lanes)
            store(select_or_zero(inside, value), memory.result, at)


def _accumulate(
    conv: PatternGemm,
    kind: ir.Type,
    memory: Memory[Patterns[ir.Value]],
    place: _Place,
    pixel: Index,
    vectors: int,
) -> None:
    """Add all kernels to the sums, channel by channel and pattern by pattern."""
    source, arrays = memory.input, memory.arrays
    taps, lanes = len(conv.patterns[0]), conv.lanes
    planes = len(conv.input.phases) * conv.input.plane
    lowest = max(max(distances) for distances in conv.patterns)

    def add_kernels(begin: Index, end: Index, loaded: list[list[ir.Value]]) -> None:
        with for_range(begin, end) as kernel:
            first = load_unsigned(arrays.filters, kernel) * vectors
            weights = [*load_each(kind, arrays.values, kernel * taps, taps, conv.weight_lanes)]
            for i in range(vectors):
                total = load(place.sums, first + i)
                for weight, tap in zip(weights, loaded, strict=True):
                    total = fma(splat(weight, lanes), tap[i], total)
                store(total, place.sums, first + i)

    def channel(number: Index, carried: list[ir.Value]) -> list[ir.Value]:
        begin = Index(carried[0])
        base = place.read + number * planes + pixel
        # Tiles follow one another along the rows: what the next one is first to read is the end of
        # its lowest row. No hardware prefetcher follows as many planes. (Measured: a fifth less
        # time for 64 planes of 224x224.)
        for line in touched_lines(vectors * lanes, source):
            prefetch(source, base + (lowest + vectors * lanes + line), locality=L2)
        for index, distances in enumerate(conv.patterns):
            entry = (place.group * conv.channels + number) * len(conv.patterns) + index
            count = load_unsigned(arrays.counts, entry)
            end = begin + count
            with when(above(count, 0)):
                loaded = [
                    [
                        load_as(kind, source, base + (distance + i * lanes), lanes)
                        for i in range(vectors)
                    ]
                    for distance in distances
                ]
                add_kernels(begin, end, loaded)
            begin = end
        return [as_value(begin)]

    fold_range(0, conv.channels, [as_value(load_index(arrays.starts, place.group))], channel)

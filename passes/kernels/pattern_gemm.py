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

from niwaki.dialects import Planar, round_up

from .builder import (
    L2,
    Index,
    above,
    as_value,
    equal,
    float_constant,
    fma,
    fold_range,
    for_range,
    load,
    load_index,
    load_mask,
    load_unsigned,
    local_vectors,
    minimum,
    prefetch,
    select,
    splat,
    store,
    when,
)
from .epilogue import inline_epilogue
from .gather_gemm import touched_lines
from .library import Kernel, epilogue_key, layer_layouts
from .rows import zero_ends


@dataclass(frozen=True)
class PatternGemm:
    """A convolution as this kernel sees it.

    Attributes:
        source, target: layouts of input and result, with equal pitches.
        images, channels, filters, groups: sizes of the convolution; channels of one group.
        height: filters of a group of filters, at most.
        patterns: for each pattern the distances of its taps from the output pixel, in elements.
        vectors: vectors of pixels of a tile.
        tiles: pixel tiles of a workgroup.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    filters: int
    groups: int
    height: int
    patterns: tuple[tuple[int, ...], ...]
    vectors: int
    tiles: int
    per_filter: int
    per_position: int
    lanes: int

    @property
    def covered(self) -> int:
        """Elements of a plane of the result that are computed: whole vectors."""
        return round_up(self.target.extent, self.lanes)


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
    """Kernel with a packed layer's operands; the mask of pixels is before those per position."""
    vectors = conv.covered // conv.lanes
    whole, rest = divmod(vectors, conv.vectors)
    tile_groups = max(1, -(-whole // conv.tiles))
    of_group = conv.filters // conv.groups
    per_group = -(-of_group // conv.height)
    planes = len(conv.source.phases) * conv.source.plane

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        group, y, image = workgroup
        conv_group, inner = group // per_group, group % per_group * conv.height
        first = conv_group * of_group + inner
        channel = image * (conv.channels * conv.groups) + conv_group * conv.channels
        place = _Place(
            local_vectors(conv.height * min(conv.vectors, vectors), conv.lanes),
            group,
            first,
            minimum(Index(conv.height), of_group - inner),
            (image * conv.filters + first) * conv.target.plane + conv.target.lead,
            channel * planes + conv.source.lead,
        )
        if whole:
            begin = y * conv.tiles
            with for_range(begin, minimum(begin + conv.tiles, whole)) as number:
                pixel = number * (conv.vectors * conv.lanes)
                _tile(conv, epilogue, buffers, place, pixel, conv.vectors)

        def finish() -> None:
            if rest:
                pixel = Index(whole * conv.vectors * conv.lanes)
                _tile(conv, epilogue, buffers, place, pixel, rest)
            zero_ends(buffers[-1], place.write, place.rows, conv.target, conv.covered, conv.lanes)

        if tile_groups == 1:
            finish()
            return
        with when(equal(y, tile_groups - 1)):
            finish()

    workgroups = (conv.groups * per_group, tile_groups, conv.images)
    key, layouts = (conv, epilogue_key(epilogue)), layer_layouts(conv, 5)
    return Kernel("pattern_gemm", key, workgroups, layouts, emit, takes_memory=True)


def _tile(
    conv: PatternGemm,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    place: _Place,
    pixel: Index,
    vectors: int,
) -> None:
    """All filters of a workgroup for the vectors of pixels from `pixel` on."""
    lanes, zeros = conv.lanes, float_constant(0.0, conv.lanes)
    with for_range(0, place.rows) as row:
        for i in range(vectors):
            store(zeros, place.sums, row * vectors + i)
    _accumulate(conv, buffers, place, pixel, vectors)
    mask = buffers[5 + conv.per_filter]
    masks = [load_mask(mask, pixel + i * lanes, lanes) for i in range(vectors)]
    per_position = buffers[6 + conv.per_filter : -1]
    with for_range(0, place.rows) as row:
        per_filter = [load(b, place.first + row) for b in buffers[5 : 5 + conv.per_filter]]
        for i, inside in enumerate(masks):
            at = place.write + row * conv.target.plane + (pixel + i * lanes)
            arguments = [
                load(place.sums, row * vectors + i),
                *(splat(value, lanes) for value in per_filter),
                *(load(buffer, at, lanes) for buffer in per_position),
            ]
            value = inline_epilogue(epilogue, arguments, lanes)
            store(select(inside, value, zeros), buffers[-1], at)


def _accumulate(
    conv: PatternGemm, buffers: list[ir.Value], place: _Place, pixel: Index, vectors: int
) -> None:
    """Add all kernels to the sums, channel by channel and pattern by pattern."""
    source, values, filters, counts, starts = buffers[:5]
    taps, lanes = len(conv.patterns[0]), conv.lanes
    planes = len(conv.source.phases) * conv.source.plane
    lowest = max(max(distances) for distances in conv.patterns)

    def add_kernels(begin: Index, end: Index, loaded: list[list[ir.Value]]) -> None:
        with for_range(begin, end) as kernel:
            first = load_unsigned(filters, kernel) * vectors
            weights = [load(values, kernel * taps + tap) for tap in range(taps)]
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
        for line in touched_lines(vectors * lanes):
            prefetch(source, base + (lowest + vectors * lanes + line), locality=L2)
        for index, distances in enumerate(conv.patterns):
            entry = (place.group * conv.channels + number) * len(conv.patterns) + index
            count = load_unsigned(counts, entry)
            end = begin + count
            with when(above(count, 0)):
                loaded = [
                    [load(source, base + (distance + i * lanes), lanes) for i in range(vectors)]
                    for distance in distances
                ]
                add_kernels(begin, end, loaded)
            begin = end
        return [as_value(begin)]

    fold_range(0, conv.channels, [as_value(load_index(starts, place.group))], channel)

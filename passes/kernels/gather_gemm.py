"""Gather-GEMM: blocks of filters times gathered columns of the input, accumulators in registers.

    for each block of filters, for each tile of pixels:
      acc[filters][vectors] = 0
      for each kept column of the block:
        x[vectors] = load input[offset of the column + pixel]  one load for each vector
        for each filter: acc[filter][:] += weight * x[:]       one multiply-add for each vector
      store select(pixel or halo, epilogue(acc), 0)

In planar halo layout a column lies a constant offset from the output pixel, so that padding, stride
(phase planes), dilation and groups are all in the offsets. Serves every scheme whose blocks of
filters share columns, and dense layers as the case that keeps them all. Positions of the halo are
stored as zeros by select, never by multiplying: what was computed there comes from slack and may be
NaN.

    workgroup x: group of blocks, y: group of pixel tiles, z: image
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch_mlir.ir as ir

from niwaki.dialects import LOOKAHEAD, Planar

from .builder import (
    CACHE_LINE,
    L2,
    Index,
    equal,
    float_constant,
    fma,
    fold_range,
    for_range,
    load,
    load_index,
    load_mask,
    load_number,
    maximum,
    minimum,
    prefetch,
    select,
    splat,
    store,
    when,
)
from .epilogue import inline_epilogue
from .epilogue_rows import EachRow, rows_of_tile
from .library import Kernel, epilogue_key, layer_layouts
from .rows import vector_widths, zero_ends

# Elements by which weights are asked for ahead. They come in order, but hardware follows them to
# the end of a page only. (Measured: 5 % less time for layers of 14x14, 8 to 14 % for those of 7x7;
# no more with 1,024 or 2,048.)
WEIGHTS_AHEAD = 512


@dataclass(frozen=True)
class GatherGemm:
    """A convolution as this kernel sees it.

    Attributes:
        source, target: layouts of input and result, with equal pitches.
        images, channels, filters: sizes of the activations.
        rows: filters of a full block; `rest` of a lower one.
        full_blocks, blocks: how many blocks are full, how many there are.
        vectors: vectors of pixels of a tile.
        tiles, group: pixel tiles and blocks of a workgroup.
        origin, unit: a column lies ``origin + unit * its offset`` elements from the output pixel.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector; on a GPU the threads of a workgroup, which hold one each.
    """

    source: Planar
    target: Planar
    images: int
    channels: int
    filters: int
    rows: int
    rest: int
    full_blocks: int
    blocks: int
    vectors: int
    tiles: int
    group: int
    origin: int
    unit: int
    per_filter: int
    per_position: int
    lanes: int

    @property
    def full_tiles(self) -> int:
        """Tiles of `vectors` whole vectors within a plane's extent, its last vector rounded up."""
        return len(self.widths) // self.vectors

    @property
    def widths(self) -> list[int]:
        """Widths of vectors that cover a plane."""
        return vector_widths(self.target.extent, self.lanes)


class Epilogue(Protocol):
    """What storing a filter needs to know of its layer: numbers of operands of the epilogue."""

    @property
    def per_filter(self) -> int: ...

    @property
    def per_position(self) -> int: ...


def gather_gemm_kernel(conv: GatherGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values, offsets, blocks, per filter, mask, per position."""
    layer = (conv, epilogue_key(epilogue))
    tile_groups = max(1, -(-conv.full_tiles // conv.tiles))
    workgroups = (-(-conv.blocks // conv.group), tile_groups, conv.images)

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        x, y, image = workgroup
        begin = x * conv.group
        end = minimum(begin + conv.group, conv.blocks)
        each_row = rows_of_tile(epilogue, conv.rows, conv.vectors, (conv.lanes, *conv.widths))
        if conv.full_blocks:
            with for_range(begin, minimum(end, conv.full_blocks)) as block:
                _block(conv, epilogue, buffers, block, conv.rows, y, tile_groups, image, each_row)
        if conv.full_blocks < conv.blocks:
            with for_range(maximum(begin, conv.full_blocks), end) as block:
                _block(conv, epilogue, buffers, block, conv.rest, y, tile_groups, image, each_row)

    layouts = layer_layouts(conv, 4)
    return Kernel("gather_gemm", layer, workgroups, layouts, emit, takes_memory=True)


def _block(
    conv: GatherGemm,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    block: Index,
    rows: int,
    tile_group: Index,
    tile_groups: int,
    image: Index,
    each_row: EachRow,
) -> None:
    """All pixel tiles of a workgroup for one block of filters."""
    table, output = buffers[3], buffers[-1]
    filter_, first, last, value = (load_index(table, block * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.source.phases)
    read = image * (planes * conv.source.plane)
    write = (image * conv.filters + filter_) * conv.target.plane + conv.target.lead
    whole, lanes = conv.full_tiles, conv.lanes

    def tile(pixel: Index, widths: list[int]) -> None:
        starts = [sum(widths[:i]) for i in range(len(widths))]
        columns = first, last, value
        results = _tile(conv, buffers, read + pixel + conv.origin, starts, widths, rows, columns)
        masks = load_masks(conv, buffers, pixel, starts, widths)

        def store_one(row: Index, sums: list[ir.Value]) -> None:
            at = filter_ + row, write + row * conv.target.plane
            store_row(conv, epilogue, buffers, sums, pixel, starts, widths, masks, *at)

        each_row(results, widths, store_one)

    if whole:
        begin = tile_group * conv.tiles
        with for_range(begin, minimum(begin + conv.tiles, whole)) as number:
            tile(number * (conv.vectors * lanes), [lanes] * conv.vectors)

    covered = sum(conv.widths)
    rest = conv.widths[whole * conv.vectors :]

    def finish() -> None:
        if rest:
            tile(Index(whole * conv.vectors * lanes), rest)
        zero_ends(output, write, rows, conv.target, covered, lanes)

    if tile_groups == 1:
        finish()
        return
    with when(equal(tile_group, tile_groups - 1)):
        finish()


def _tile(
    conv: GatherGemm,
    buffers: list[ir.Value],
    base: Index,
    starts: list[int],
    widths: list[int],
    rows: int,
    columns: tuple[Index, Index, Index],
) -> list[ir.Value]:
    """One tile of sums: rows x len(widths) vectors."""
    lines = touched_lines(sum(widths))
    inputs = gather(buffers, base, conv.unit, starts, widths, lines)
    return accumulate(buffers, columns, rows, widths, inputs, ahead=WEIGHTS_AHEAD)


def gather(
    buffers: list[ir.Value],
    base: Index,
    unit: int,
    starts: list[int],
    widths: list[int],
    lines: list[int],
    later: Sequence[int] = (),
) -> Callable[[Index], list[ir.Value]]:
    """Loads of a tile's vectors, which begin at `starts`, given a column's entry in the offsets.

    Columns lie in different planes: no hardware prefetcher follows, and what is loaded too late
    keeps the multiply-adds waiting. So the cache lines of elements `lines` are asked for a few
    columns ahead (measured: +30 % on layers that live in L2), and those of elements `later`, which
    another tile reads, into the second-level cache (+38 % on 64 channels of 224x224).
    """

    def inputs(number: Index) -> list[ir.Value]:
        ahead = base + load_number(buffers[2], number + LOOKAHEAD) * unit
        for line in lines:
            prefetch(buffers[0], ahead + line)
        at = base + load_number(buffers[2], number) * unit
        for line in later:
            prefetch(buffers[0], at + line, L2)
        return [
            load(buffers[0], at + start, width) for start, width in zip(starts, widths, strict=True)
        ]

    return inputs


def touched_lines(length: int) -> list[int]:
    """Elements, one in each cache line that `length` neighbouring ones can touch."""
    return [*range(0, length, CACHE_LINE), length - 1]


def accumulate(
    buffers: list[ir.Value],
    columns: tuple[Index, Index, Index],
    rows: int,
    widths: list[int],
    inputs: Callable[[Index], list[ir.Value]],
    sums: list[ir.Value] | None = None,
    ahead: int = 0,
) -> list[ir.Value]:
    """Sums of a block's columns for one tile: `rows` times a vector for each of `widths`.

    `columns` are the block's first and last + 1 entry in the offsets and its first value;
    `inputs(number)` loads the tile's vectors of one column, given its entry in the offsets. They
    are added to `sums`, if there are some. Weights are prefetched `ahead`, if it is not 0.
    """
    values = buffers[1]
    first, last, value = columns

    def column(number: Index, accumulators: list[ir.Value]) -> list[ir.Value]:
        loaded = inputs(number)
        weights = value + (number - first) * rows
        if ahead:
            prefetch(values, weights + ahead)
        updated = []
        for row in range(rows):
            weight = load(values, weights + row)
            for i, width in enumerate(widths):
                updated.append(
                    fma(splat(weight, width), loaded[i], accumulators[row * len(widths) + i])
                )
        return updated

    if sums is None:
        sums = [float_constant(0.0, width) for _ in range(rows) for width in widths]
    return fold_range(first, last, sums, column)


def load_masks(
    conv: Epilogue, buffers: list[ir.Value], pixel: Index, starts: list[int], widths: list[int]
) -> list[ir.Value]:
    """For each vector of a tile, which lanes are pixels."""
    mask = buffers[4 + conv.per_filter]
    return [
        load_mask(mask, pixel + start, width) for start, width in zip(starts, widths, strict=True)
    ]


def store_row(
    conv: Epilogue,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    accumulators: list[ir.Value],
    pixel: Index,
    starts: list[int],
    widths: list[int],
    masks: list[ir.Value],
    filter_: Index,
    write: Index,
) -> None:
    """Epilogue and store of one filter's vectors."""
    per_filter = [load(buffer, filter_) for buffer in buffers[4 : 4 + conv.per_filter]]
    per_position = buffers[5 + conv.per_filter : 5 + conv.per_filter + conv.per_position]
    for accumulator, start, width, mask in zip(accumulators, starts, widths, masks, strict=True):
        at = write + pixel + start
        extras = [splat(value, width) for value in per_filter] + [
            load(buffer, at, width) for buffer in per_position
        ]
        result = inline_epilogue(epilogue, [accumulator, *extras], width)
        store(select(mask, result, float_constant(0.0, width)), buffers[-1], at)

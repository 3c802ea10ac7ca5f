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

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import LOOKAHEAD, Blocks, GatherGemmTile
from niwaki.targets import LINE_BYTES

from .accesses import (
    L2,
    element_bytes,
    load,
    load_as,
    load_each,
    load_index,
    load_mask,
    load_number,
    number_type,
    prefetch,
    store,
)
from .blocks import BlockedConv, each_block
from .control import fold_range, for_range, when, when_else
from .epilogue import Bias, bias_of, finished, sum_type
from .epilogue_rows import EachRow, rows_of_tile
from .indices import Index, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import in_one_row, vector_widths, zero_ends
from .vectors import float_constant, fma, in_type, lanes_of, select_or_zero, splat

# Columns that are added up in f16 before their sum is added to one of f32, where sums are f32 but
# products f16. (With normal numbers the root of the mean square error of 64 columns is 0.09 % of
# that of their sum.)
RUN = 64
# Elements by which weights are asked for ahead. They come in order, but hardware follows them to
# the end of a page only. (Measured: 5 % less time for layers of 14x14, 8 to 14 % for those of 7x7;
# no more with 1,024 or 2,048.)
WEIGHTS_AHEAD = 512
# Tiles without halo have code of their own if at least one in so many is of that kind.
FEW_INNER = 4


@dataclass(frozen=True, kw_only=True)
class GatherGemm(BlockedConv):
    """A convolution as this kernel sees it.

    Attributes:
        lean: whether sums begin with the bias, and tiles without halo have code without masks.
        ahead: elements by which the input is asked for into the second-level cache; 0 where it
            is there.
    """

    tile: GatherGemmTile
    lean: bool
    ahead: int

    @property
    def full_tiles(self) -> int:
        """Tiles of whole vectors within a plane's extent, its last vector rounded up."""
        return len(self.widths) // self.tile.vectors

    @property
    def inner_tiles(self) -> int:
        """Those of `full_tiles` that are pixels alone."""
        length = self.tile.vectors * self.lanes
        mask = self.result.mask(self.full_tiles * length).reshape(-1, length)
        return int(mask.all(axis=1).sum())

    @property
    def widths(self) -> list[int]:
        """Widths of vectors that cover a plane."""
        return vector_widths(self.result.extent, self.lanes)


def gather_gemm_kernel(conv: GatherGemm, epilogue: ir.Block) -> Kernel:
    """Kernel that reads input, values, offsets, blocks, operands per filter, mask, per position."""
    tile_groups = max(1, -(-conv.full_tiles // conv.tile.tiles))
    workgroups = (-(-conv.blocks // conv.tile.blocks), tile_groups, conv.images)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, image = workgroup
        widths = (conv.lanes, *conv.widths)
        each_row = rows_of_tile(epilogue, conv.tile.filters, conv.tile.vectors, widths)

        def block(number: Index, height: int) -> None:
            _block(conv, epilogue, memory, number, height, y, tile_groups, image, each_row)

        each_block(conv, x, block)

    return Kernel(
        "gather_gemm",
        (conv, epilogue_key(epilogue)),
        workgroups,
        emit,
        conv.input,
        conv.result,
        takes_memory=True,
    )


def _block(
    conv: GatherGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Index,
    height: int,
    tile_group: Index,
    tile_groups: int,
    image: Index,
    each_row: EachRow,
) -> None:
    """All pixel tiles of a workgroup for one block of `height` filters."""
    table = memory.arrays.blocks
    filter_, first, last, value = (load_index(table, block * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.input.phases)
    read = image * (planes * conv.input.plane)
    write = (image * conv.filters + filter_) * conv.result.plane + conv.result.lead
    whole, lanes, vectors = conv.full_tiles, conv.lanes, conv.tile.vectors
    kind = sum_type(epilogue)
    products = product_type(kind, memory, conv.runs)
    bias = bias_of(epilogue, len(memory.per_filter)) if conv.lean else None
    inner = conv.inner_tiles if conv.lean else 0

    def begun(widths: list[int]) -> list[ir.Value] | None:
        """Sums of a tile that have the bias in them, if that can be."""
        if bias is None:
            return None
        values = [load(memory.per_filter[bias.number], filter_ + row) for row in range(height)]
        return [splat(value, width) for value in values for width in widths]

    def tile(pixel: Index, widths: list[int]) -> None:
        starts = [sum(widths[:i]) for i in range(len(widths))]
        columns = first, last, value
        base = read + pixel + conv.origin
        lines = touched_lines(sum(widths), memory.input)
        # A later tile's: the last line is the first one of the tile behind it.
        later = [conv.ahead + line for line in lines[:-1]] if conv.ahead else []
        inputs = gather(products, memory, base, conv.unit, starts, widths, lines, later)
        results = accumulate(
            *(kind, products, memory.arrays.values, columns, height, widths, inputs, begun(widths)),
            weight_lanes=conv.weight_lanes,
            ahead=WEIGHTS_AHEAD,
        )

        def store_all(masks: list[ir.Value] | None) -> None:
            def store_one(row: Index, sums: list[ir.Value]) -> None:
                at = write + row * conv.result.plane + pixel
                store_row(epilogue, memory, sums, starts, widths, masks, filter_ + row, at, bias)

            each_row(results, widths, store_one)

        def store_masked() -> None:
            store_all(load_masks(memory, pixel, starts, widths))

        if widths != [lanes] * vectors or FEW_INNER * inner < whole:
            store_masked()
        elif inner == whole:
            store_all(None)
        else:
            is_inner = in_one_row(conv.result, pixel, vectors * lanes)
            when_else(is_inner, lambda: store_all(None), store_masked)

    if whole:
        begin = tile_group * conv.tile.tiles
        with for_range(begin, minimum(begin + conv.tile.tiles, whole)) as number:
            tile(number * (vectors * lanes), [lanes] * vectors)

    covered = sum(conv.widths)
    rest = conv.widths[whole * vectors :]

    def finish() -> None:
        if rest:
            tile(Index(whole * vectors * lanes), rest)
        zero_ends(memory.result, write, height, conv.result, covered, lanes)

    if tile_groups == 1:
        finish()
        return
    with when(equal(tile_group, tile_groups - 1)):
        finish()


def gather(
    kind: ir.Type,
    memory: Memory[Blocks[ir.Value]],
    base: Index,
    unit: int,
    starts: list[int],
    widths: list[int],
    lines: list[int],
    later: Sequence[int] = (),
) -> Callable[[Index], list[ir.Value]]:
    """Loads of a tile's vectors, which begin at `starts`, given a column's entry in the offsets.

    They are computed with as numbers of type `kind`.

    Columns lie in different planes: no hardware prefetcher follows, and what is loaded too late
    keeps the multiply-adds waiting. So the cache lines of elements `lines` are asked for a few
    columns ahead (measured: +30 % on layers that live in L2), and those of elements `later`, which
    another tile reads, into the second-level cache (+38 % on 64 channels of 224x224).
    """

    source, offsets = memory.input, memory.arrays.offsets

    def inputs(number: Index) -> list[ir.Value]:
        ahead = base + load_number(offsets, number + LOOKAHEAD) * unit
        for line in lines:
            prefetch(source, ahead + line)
        at = base + load_number(offsets, number) * unit
        for line in later:
            prefetch(source, at + line, L2)
        places = zip(starts, widths, strict=True)
        return [load_as(kind, source, at + start, width) for start, width in places]

    return inputs


def touched_lines(length: int, source: ir.Value) -> list[int]:
    """Elements, one in each cache line that `length` neighbouring ones of a buffer can touch."""
    return [*range(0, length, LINE_BYTES // element_bytes(source)), length - 1]


def product_type(kind: ir.Type, memory: Memory[Any], runs: bool) -> ir.Type:
    """The type in which columns are multiplied: where there are runs the input's, else of sums."""
    return number_type(memory.input) if runs else kind


def accumulate(
    kind: ir.Type,
    products: ir.Type,
    values: ir.Value,
    columns: tuple[Index, Index, Index],
    height: int,
    widths: list[int],
    inputs: Callable[[Index], list[ir.Value]],
    sums: list[ir.Value] | None = None,
    *,
    weight_lanes: int = 1,
    ahead: int = 0,
    together: int = 1,
) -> list[ir.Value]:
    """Sums of a block's columns for one tile: for each of `height` filters a vector of each width.

    `kind` is the type of sums, `products` that of products: where it is narrower, they are added up
    in runs. `columns` are the block's first and last + 1 entry in the offsets and its first one of
    the packed `values`; `inputs(number)` loads the tile's vectors of one column, given its entry in
    the offsets. They are added to `sums`, if there are some. Of the weights of `together` columns
    `weight_lanes` are loaded at once, and they are prefetched `ahead`, if it is not 0.
    """
    first, last, value = columns

    def add(count: int, number: Index, accumulators: list[ir.Value]) -> list[ir.Value]:
        loaded = inputs(number)
        weights = value + (number - first) * height
        if ahead:
            prefetch(values, weights + ahead)
        each = load_each(products, values, weights, count * height, weight_lanes)
        for column in range(count):
            loaded = inputs(number + column) if column else loaded
            factors = (
                (splat(weight, width), x)
                for weight in itertools.islice(each, height)
                for width, x in zip(widths, loaded, strict=True)
            )
            pairs = zip(factors, accumulators, strict=True)
            accumulators = [fma(*pair, total) for pair, total in pairs]
        return accumulators

    start = sums or [float_constant(0.0, kind, width) for _ in range(height) for width in widths]
    return add_columns(kind, products, first, last, start, add, together)


# Adds some columns to sums: how many, the first one's entry in the offsets, the sums.
AddColumns = Callable[[int, Index, list[ir.Value]], list[ir.Value]]


def add_columns(
    kind: ir.Type,
    products: ir.Type,
    first: Index,
    last: Index,
    start: list[ir.Value],
    add: AddColumns,
    together: int = 1,
    run: int = RUN,
) -> list[ir.Value]:
    """What `add` adds to sums for each entry in the offsets from `first` to before `last`.

    `start` are the sums that there are, of type `kind`. Where `products` is narrower, columns are
    added up in runs of `run` entries. A loop takes so many `together`, and another one those that
    are left.
    """

    def between(begin: Index, end: Index, sums: list[ir.Value]) -> list[ir.Value]:
        if together > 1:
            whole = begin + (end - begin) // together * together
            sums = fold_range(begin, whole, sums, functools.partial(add, together), together)
            begin = whole
        return fold_range(begin, end, sums, functools.partial(add, 1))

    if products == kind:
        return between(first, last, start)

    def add_run(begin: Index, totals: list[ir.Value]) -> list[ir.Value]:
        zeros = [float_constant(0.0, products, lanes_of(total)) for total in totals]
        added = between(begin, minimum(begin + run, last), zeros)
        pairs = zip(totals, added, strict=True)
        return [arith.addf(total, in_type(kind, part)) for total, part in pairs]

    return fold_range(first, last, start, add_run, step=run)


def load_masks(
    memory: Memory[Any], pixel: Index, starts: list[int], widths: list[int]
) -> list[ir.Value]:
    """For each vector of a tile, which lanes are pixels."""
    return [
        load_mask(memory.mask, pixel + start, width)
        for start, width in zip(starts, widths, strict=True)
    ]


def store_row(
    epilogue: ir.Block,
    memory: Memory[Any],
    sums: list[ir.Value],
    starts: list[int],
    widths: list[int],
    masks: list[ir.Value] | None,
    filter_: Index,
    write: Index,
    bias: Bias | None = None,
) -> None:
    """Epilogue and store of one filter's vectors, which begin at `starts` from `write` on.

    Without masks all lanes are pixels. The `bias` is in the sums already, if there is one.
    """
    per_filter = [load(buffer, filter_) for buffer in memory.per_filter]
    for number, (total, start, width) in enumerate(zip(sums, starts, widths, strict=True)):
        at = write + start
        result = finished(epilogue, total, per_filter, memory.per_position, at, width, bias)
        if masks is not None:
            result = select_or_zero(masks[number], result)
        store(result, memory.result, at)

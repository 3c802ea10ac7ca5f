"""Gather-GEMM on a GPU: each thread computes the filters of a block for some pixels.

    workgroup x: block of filters, y: tile of threads x pixels, z: image
      thread t holds acc[filters][pixels], for pixels t, t + threads, ... of the tile
      for each group of four columns of the block:
        offsets, weights = lines of the block's stream       four words at a time, for all threads
        for each column:
          x[pixels] = load input[offset of the column + pixel]       neighbours for neighbours
          for each pixel: acc[:][pixel] += weights[column] * x[pixel]   two or four filters at once
      store pixel ? epilogue(acc) : 0

What a column is, and why halo is stored by select, is told in `gather_gemm`; what is in a stream in
`niwaki.dialects.packed_stream`. Tiles cover planes with their zeros; a thread beyond the last pixel
computes that pixel again, and stores zero if there is still plane where it stands.

With 8 filters and 4 pixels a group has 9 lines and 16 pixels to load for 128 multiply-adds: 0.20
loads each, in f16 0.16. Where weights, offsets and pixels come one by one it is 0.69.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import (
    GROUP_COLUMNS,
    LINE_WORDS,
    Planar,
    Stream,
    ThreadGemmTile,
    group_lines,
    head_lines,
)

from .builder import (
    Index,
    above,
    below,
    cut,
    element_bytes,
    fma,
    fours,
    in_type,
    lane_type,
    load,
    load_as,
    minimum,
    only_if,
    select_or_zero,
    splat,
    store,
    when,
    word_index,
    zero,
)
from .epilogue import finished, sum_type
from .gather_gemm import RUN, add_columns, product_type
from .gpu_threads import coordinates, thread
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory


@dataclass(frozen=True, kw_only=True)
class ThreadGemm:
    """A convolution as this kernel sees it.

    Attributes:
        input, result: layouts.
        images, channels, filters: sizes of the activations.
        tile: filters of a full block, pixels of a thread.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        in_heads: operands per filter that are in the heads of blocks.
        runs: whether columns are added up in runs, in the type of the input, before these are
            added up in the type of sums.
        lanes: threads of a workgroup.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    filters: int
    tile: ThreadGemmTile
    rest: int
    full_blocks: int
    blocks: int
    in_heads: int
    runs: bool
    lanes: int


@dataclass(frozen=True)
class Head:
    """What the head of a block says.

    Attributes:
        filter: its first filter.
        line: where its stream begins.
        groups, left: groups of columns, columns left over.
        per_filter: of each operand in it, the numbers of the filters.
    """

    filter: Index
    line: Index
    groups: Index
    left: Index
    per_filter: Sequence[Sequence[ir.Value]]


def thread_gemm_kernel(conv: ThreadGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`."""
    tiles = -(-conv.result.plane // (conv.tile.pixels * conv.lanes))

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        block, tile, image = workgroup
        first = tile * (conv.tile.pixels * conv.lanes) + thread()
        pixels = [first + i * conv.lanes for i in range(conv.tile.pixels)]
        if conv.full_blocks:
            with when(below(block, conv.full_blocks)):
                _tile(conv, epilogue, memory, block, conv.tile.filters, pixels, image)
        if conv.full_blocks < conv.blocks:
            with when(above(block, conv.full_blocks - 1)):
                _tile(conv, epilogue, memory, block, conv.rest, pixels, image)

    key, workgroups = (conv, epilogue_key(epilogue)), (conv.blocks, tiles, conv.images)
    layouts = conv.input, conv.result
    return Kernel("thread_gemm", key, workgroups, emit, *layouts, takes_memory=True)


def _tile(
    conv: ThreadGemm,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    block: Index,
    height: int,
    pixels: list[Index],
    image: Index,
) -> None:
    """One thread's share: `height` filters of a block for some pixels."""
    kinds = [argument.type for argument in epilogue.arguments][1 : 1 + conv.in_heads]
    head = _head(conv, memory.arrays.words, block, height, kinds)
    read = image * (conv.channels * len(conv.input.phases) * conv.input.plane)
    places = [read + minimum(pixel, conv.result.extent - 1) for pixel in pixels]
    sums = _sums(conv, memory, head, height, places, sum_type(epilogue))
    write = (image * conv.filters + head.filter) * conv.result.plane + conv.result.lead
    for i, pixel in enumerate(pixels):
        with when(below(pixel, conv.result.plane)):
            numbers = [number for piece in sums[i :: len(pixels)] for number in cut(piece, 1)]
            _store_pixel(conv, epilogue, memory, numbers, head, pixel, write)


def _head(
    conv: ThreadGemm, words: ir.Value, block: Index, height: int, kinds: Sequence[ir.Type]
) -> Head:
    """What the head of a block says, which has `height` filters and operands of `kinds`."""
    at = block * head_lines(conv.tile.filters, conv.in_heads)
    filter_, line, groups, left = map(word_index, cut(load(words, at), 1))
    of_operand = -(-conv.tile.filters // LINE_WORDS)

    def operand(first: int, kind: ir.Type) -> list[ir.Value]:
        lines = [load(words, at + (first + i)) for i in range(of_operand)]
        numbers = [four for line in lines for four in fours(kind, line)]
        return [number for four in numbers for number in cut(four, 1)][:height]

    operands = [operand(1 + i * of_operand, kind) for i, kind in enumerate(kinds)]
    return Head(filter_, line, groups, left, operands)


def _sums(
    conv: ThreadGemm,
    memory: Memory[Stream[ir.Value]],
    head: Head,
    height: int,
    places: list[Index],
    kind: ir.Type,
) -> list[ir.Value]:
    """Sums of a block's columns, of type `kind`: for each piece of its filters all pixels."""
    stored = ir.MemRefType(memory.input.type).element_type
    products = product_type(kind, memory, conv.runs)
    lanes, lines = math.gcd(height, LINE_WORDS), group_lines(height, element_bytes(memory.input))
    pieces = height // lanes

    def columns(number: Index) -> list[tuple[Index, list[ir.Value]]]:
        """Of a group: where they are read, and pieces of their weights."""
        first = head.line + number * lines
        offsets, *weights = (load(memory.arrays.words, first + i) for i in range(lines))
        numbers = [in_type(products, four) for line in weights for four in fours(stored, line)]
        found = [piece for four in numbers for piece in cut(four, lanes)]
        return [
            (word_index(offset), found[column * pieces : (column + 1) * pieces])
            for column, offset in enumerate(cut(offsets, 1))
        ]

    def add(column: tuple[Index, list[ir.Value]], sums: Sequence[ir.Value]) -> list[ir.Value]:
        offset, weights = column
        pixels = [load_as(products, memory.input, place + offset) for place in places]
        factors = ((piece, splat(x, lanes)) for piece in weights for x in pixels)
        return [fma(*pair, total) for pair, total in zip(factors, sums, strict=True)]

    def whole(count: int, number: Index, sums: list[ir.Value]) -> list[ir.Value]:
        for column in columns(number):
            sums = add(column, sums)
        return sums

    def left_over(sums: list[ir.Value]) -> list[ir.Value]:
        first, *others = columns(head.groups)[:-1]
        narrow = products != kind
        added = add(first, [zero(lane_type(products, lanes))] * len(sums) if narrow else sums)
        for number, column in enumerate(others, 1):
            added = only_if(above(head.left, number), functools.partial(add, column), added)
        if not narrow:
            return added
        pairs = zip(sums, added, strict=True)
        return [arith.addf(total, in_type(kind, part)) for total, part in pairs]

    start = [zero(lane_type(kind, lanes))] * (pieces * len(places))
    run = RUN // GROUP_COLUMNS
    sums = add_columns(kind, products, Index(0), head.groups, start, whole, run=run)
    return only_if(above(head.left, 0), left_over, sums)


def _store_pixel(
    conv: ThreadGemm,
    epilogue: ir.Block,
    memory: Memory[Stream[ir.Value]],
    sums: Sequence[ir.Value],
    head: Head,
    pixel: Index,
    write: Index,
) -> None:
    """Epilogue and store of one position for the filters of a block."""
    _, inside = coordinates(conv.result, pixel)
    for row, total in enumerate(sums):
        at = write + row * conv.result.plane + pixel
        per_filter = [operand[row] for operand in head.per_filter]
        per_filter += [load(buffer, head.filter + row) for buffer in memory.per_filter]
        result = finished(epilogue, total, per_filter, memory.per_position, at, 1)
        store(select_or_zero(inside, result), memory.result, at)

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

from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import (
    Planar,
    Stream,
    ThreadGemmTile,
)

from .accesses import load, number_type, store
from .control import when
from .epilogue import finished, sum_type
from .gather_gemm import product_type
from .gpu_threads import coordinates, thread
from .indices import Index, above, below, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .stream_sums import BlockStream, Head, read_head
from .vectors import cut, select_or_zero


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
    head = read_head(memory.arrays.words, block, height, conv.tile.filters, kinds)
    read = image * (conv.channels * len(conv.input.phases) * conv.input.plane)
    places = [read + minimum(pixel, conv.result.extent - 1) for pixel in pixels]
    kind = sum_type(epilogue)
    stream = BlockStream(
        words=memory.arrays.words,
        source=memory.input,
        stored=number_type(memory.input),
        head=head,
        height=height,
        places=places,
        products=product_type(kind, memory, conv.runs),
    )
    sums = stream.add_up(kind, Index(0), 1, above(head.left, 0))
    write = (image * conv.filters + head.filter) * conv.result.plane + conv.result.lead
    for i, pixel in enumerate(pixels):
        with when(below(pixel, conv.result.plane)):
            numbers = [number for piece in sums[i :: len(pixels)] for number in cut(piece, 1)]
            _store_pixel(conv, epilogue, memory, numbers, head, pixel, write)


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

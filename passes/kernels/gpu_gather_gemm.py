"""Gather-GEMM on a GPU: each thread computes the filters of a block for some pixels.

    workgroup x: block of filters, y: tile of threads x vectors pixels, z: image
      thread t holds acc[filters][vectors], for pixels t, t + threads, ... of the tile
      for each kept column of the block:
        x[vectors] = load input[offset of the column + pixel]      neighbours for neighbours
        for each filter: acc[filter][:] += weight * x[:]           the same weight for all threads
      store pixel ? epilogue(acc) : 0

What a column is, and why halo is stored by select, is told in `gather_gemm`. Tiles cover planes
with their zeros; a thread beyond the last pixel computes that pixel again, and stores zero if there
is still plane where it stands.
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import Blocks

from .builder import (
    Index,
    above,
    below,
    load_as,
    load_index,
    minimum,
    select_or_zero,
    store,
    when,
)
from .epilogue import sum_type
from .gather_gemm import GatherGemm, accumulate, product_type
from .gpu_threads import coordinates, finish, thread
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory


def gpu_gather_gemm_kernel(conv: GatherGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`."""
    tiles = -(-conv.result.plane // (conv.tile.vectors * conv.lanes))

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        block, tile, image = workgroup
        first = tile * (conv.tile.vectors * conv.lanes) + thread()
        pixels = [first + i * conv.lanes for i in range(conv.tile.vectors)]
        if conv.full_blocks:
            with when(below(block, conv.full_blocks)):
                _tile(conv, epilogue, memory, block, conv.tile.filters, pixels, image)
        if conv.full_blocks < conv.blocks:
            with when(above(block, conv.full_blocks - 1)):
                _tile(conv, epilogue, memory, block, conv.rest, pixels, image)

    key, workgroups = (conv, epilogue_key(epilogue)), (conv.blocks, tiles, conv.images)
    layouts = conv.input, conv.result
    return Kernel("gather_gemm", key, workgroups, emit, *layouts, takes_memory=True)


def _tile(
    conv: GatherGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Index,
    height: int,
    pixels: list[Index],
    image: Index,
) -> None:
    """One thread's share: `height` filters of a block for some pixels."""
    arrays, kind = memory.arrays, sum_type(epilogue)
    products = product_type(kind, memory, conv.runs)
    filter_, *columns = (load_index(arrays.blocks, block * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.input.phases)
    read = image * (planes * conv.input.plane)
    places = [read + minimum(pixel, conv.result.extent - 1) for pixel in pixels]

    def inputs(number: Index) -> list[ir.Value]:
        offset = load_index(arrays.offsets, number)
        return [load_as(products, memory.input, place + offset) for place in places]

    first, last, value = columns
    sums = accumulate(
        kind, products, arrays.values, (first, last, value), height, [1] * len(pixels), inputs
    )
    write = (image * conv.filters + filter_) * conv.result.plane + conv.result.lead
    for i, pixel in enumerate(pixels):
        with when(below(pixel, conv.result.plane)):
            _store_pixel(conv, epilogue, memory, sums[i :: len(pixels)], filter_, pixel, write)


def _store_pixel(
    conv: GatherGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    sums: list[ir.Value],
    filter_: Index,
    pixel: Index,
    write: Index,
) -> None:
    """Epilogue and store of one position for the filters of a block."""
    _, inside = coordinates(conv.result, pixel)
    for row, accumulator in enumerate(sums):
        at = write + row * conv.result.plane + pixel
        result = finish(epilogue, accumulator, memory, filter_ + row, at)
        store(select_or_zero(inside, result), memory.result, at)

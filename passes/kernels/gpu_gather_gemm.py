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

from .builder import (
    Index,
    above,
    below,
    float_constant,
    load,
    load_index,
    minimum,
    select,
    store,
    when,
)
from .gather_gemm import GatherGemm, accumulate
from .gpu_threads import coordinates, finish, thread
from .library import Kernel, epilogue_key, layer_layouts


def gpu_gather_gemm_kernel(conv: GatherGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values, offsets, blocks, those per filter, those per position."""
    tiles = -(-conv.target.plane // (conv.vectors * conv.lanes))

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        block, tile, image = workgroup
        first = tile * (conv.vectors * conv.lanes) + thread()
        pixels = [first + i * conv.lanes for i in range(conv.vectors)]
        if conv.full_blocks:
            with when(below(block, conv.full_blocks)):
                _tile(conv, epilogue, buffers, block, conv.rows, pixels, image)
        if conv.full_blocks < conv.blocks:
            with when(above(block, conv.full_blocks - 1)):
                _tile(conv, epilogue, buffers, block, conv.rest, pixels, image)

    key, workgroups = (conv, epilogue_key(epilogue)), (conv.blocks, tiles, conv.images)
    layouts = layer_layouts(conv, 3)
    return Kernel("gather_gemm", key, workgroups, layouts, emit, takes_memory=True)


def _tile(
    conv: GatherGemm,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    block: Index,
    rows: int,
    pixels: list[Index],
    image: Index,
) -> None:
    """One thread's share: `rows` filters of a block for some pixels."""
    filter_, *columns = (load_index(buffers[3], block * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.source.phases)
    read = image * (planes * conv.source.plane)
    places = [read + minimum(pixel, conv.target.extent - 1) for pixel in pixels]

    def inputs(number: Index) -> list[ir.Value]:
        offset = load_index(buffers[2], number)
        return [load(buffers[0], place + offset) for place in places]

    first, last, value = columns
    sums = accumulate(buffers, (first, last, value), rows, [1] * len(pixels), inputs)
    write = (image * conv.filters + filter_) * conv.target.plane + conv.target.lead
    for i, pixel in enumerate(pixels):
        with when(below(pixel, conv.target.plane)):
            _store_pixel(conv, epilogue, buffers, sums[i :: len(pixels)], filter_, pixel, write)


def _store_pixel(
    conv: GatherGemm,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    sums: list[ir.Value],
    filter_: Index,
    pixel: Index,
    write: Index,
) -> None:
    """Epilogue and store of one position for the filters of a block."""
    _, inside = coordinates(conv.target, pixel)
    after = 4 + conv.per_filter
    for row, accumulator in enumerate(sums):
        at = write + row * conv.target.plane + pixel
        result = finish(
            epilogue, accumulator, buffers[4:after], filter_ + row, buffers[after:-1], at
        )
        store(select(inside, result, float_constant(0.0)), buffers[-1], at)

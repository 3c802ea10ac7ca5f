"""Linear layers: vectors over a block's filters, a few rows of the input for each weight."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import Blocks, MatvecAttr, MatvecTile, int_attr
from niwaki.schemes import Dense, Scheme, block_columns
from niwaki.targets import Target, Vector

from ..choice import Candidate
from ..cost import (
    INDEX_LOADS,
    ONE_STREAM,
    WORKGROUP_START,
    BlockCounts,
    mean,
    overlapped,
)
from ..kernels.block_sums import chains
from ..kernels.library import Kernel
from ..kernels.matvec import Matvec, matvec_kernel
from ..kernels.operands import Operands
from ..layers import element_of
from .bands import bands_of, bands_seconds, filter_spans, pack_bands, stored_in_bands
from .base import KernelFamily, Layer, Packed
from .blocks import block_heights, pack_blocks

# Rows that share each weight, and vectors of filters, at most.
ROWS = 4
VECTORS = 8
# Rows where no block is higher than a vector, so that loads feed few multiply-adds, as long as the
# nearest cache holds so many. (Measured with blocks of 8 filters on AVX-512: a tenth less time with
# 512 inputs, a seventh more with 2048, where 8 rows take 64 kB.)
CACHED_ROWS = 8


class MatvecFamily(KernelFamily):
    """Linear layers of rows."""

    kernel = MatvecAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """As many filters as some number of vectors holds; the layer as it is, and dense."""
        target, vector, rows = layer.target, layer.vector, layer.op.input.type.shape[0]
        for scheme in {layer.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)
            for height, together in matvec_tiles(layer, scheme):
                tile = MatvecTile(height, together, 1)
                blocks = block_columns(mask, scheme, height)
                seconds = matvec_seconds(target, vector, blocks, rows, tile)
                yield Candidate(scheme, MatvecAttr.of(*tile), seconds)
        yield from _in_bands(layer)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Blocks, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Blocks in the order in which workgroups take them; those of bands as they are."""
        height, _, bands = op.attributes["kernel"].tile
        if bands == 1:
            return pack_blocks(op, weights, narrow, height=height, together=1)
        matrix, scheme = weights[:, :, 0], op.scheme.scheme
        mask, spans = scheme.mask(weights != 0, 1)[:, :, 0], filter_spans(len(matrix), height)
        begins = [span.start for span in spans]
        arrays = pack_bands(matrix, mask, scheme, spans, begins, bands=bands, narrow=narrow)
        full = len(matrix) // height
        return Packed(arrays, {"full_blocks": int_attr(full)})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_linear`."""
        rows, inputs = op.input.type.shape
        linear = Matvec(
            rows=rows,
            inputs=inputs,
            filters=op.result.type.shape[1],
            tile=op.kernel.tile,
            **block_heights(op, op.kernel.tile.filters)._asdict(),
            lanes=target.step(element_of(op.input)),
            most_sums=target.vector(element_of(op.input)).wide_sums,
        )
        return matvec_kernel(linear, op.epilogue.blocks[0]), self.operands(op)


def _in_bands(layer: Layer) -> Iterator[Candidate]:
    """Blocks without the rows that blocks of columns remove."""
    scheme, vector, (rows, inputs) = layer.scheme, layer.vector, layer.op.input.type.shape
    height, together = highest(layer, scheme, vector.lanes), min(rows, ROWS)
    bands = bands_of(scheme, height, inputs, vector)
    if bands == 1:
        return
    mask = layer.stored(scheme)[:, :, 0]
    held = stored_in_bands(mask, scheme, filter_spans(len(mask), height))
    seconds = bands_seconds(layer.target, vector, held, bands, rows, together)
    yield Candidate(scheme, MatvecAttr.of(height, together, bands), seconds)


def matvec_tiles(layer: Layer, scheme: Scheme) -> Iterator[tuple[int, int]]:
    """Filters and rows of a tile."""
    vector, (rows, inputs) = layer.vector, layer.op.input.type.shape
    few, many = min(rows, ROWS), min(rows, CACHED_ROWS)
    most = min(VECTORS, (vector.registers - 1) // (few + 1))
    limits = [vectors * vector.lanes for vectors in range(1, most + 1)]
    heights = sorted({highest(layer, scheme, limit) for limit in limits})
    for height in heights:
        yield height, few
    for height in range(1, limits[-1] + 1):  # of another kernel for more rows
        if layer.agreed == (scheme, (Blocks, height)) and height not in heights:
            yield height, few
    cached = many * inputs * vector.stored.bytes <= layer.target.cpu_core.cache[0]
    if many > few and cached and heights[-1] <= vector.lanes:
        yield heights[-1], many


def highest(layer: Layer, scheme: Scheme, limit: int) -> int:
    """The most filters of a block that share columns, up to `limit`."""
    return layer.heights(scheme, range(1, limit + 1))[-1]


def matvec_seconds(
    target: Target, vector: Vector, blocks: BlockCounts, rows: int, tile: MatvecTile
) -> float:
    """A layer of `rows` rows."""
    core = target.cpu_core
    together, cycles, values = tile.rows, 0.0, 0.0
    for height, (count, columns) in blocks.items():
        vectors = -(-height // vector.lanes)
        sums = together * vectors
        parts, turns = chains(height, together, vector.lanes, vector.wide_sums)
        waits = core.latency / (parts * turns)
        multiply_adds = max(sums / core.multiply_adds, waits)
        loads = vectors / core.loads + (together + INDEX_LOADS) / core.scalar_loads
        cycles += columns * mean(multiply_adds, loads) + count * WORKGROUP_START
        values += vector.stored.bytes * height * columns / (ONE_STREAM if parts == 1 else 1)
    moved = values / core.bandwidth[values > core.cache[1]]
    return -(-rows // together) * overlapped(cycles, moved) / core.clock

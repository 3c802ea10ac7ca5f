"""Linear layers of many rows: gather-GEMM whose vectors run over rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import (
    Blocks,
    RowGemmAttr,
    RowGemmTile,
    layout_of,
    round_up,
    rows_of_linear,
)
from niwaki.schemes import Dense, Scheme, block_columns
from niwaki.targets import LINE_BYTES, Target, Vector

from ..base import PassFailure
from ..choice import Candidate
from ..cost import WORKGROUP_START, BlockCounts, column_cycles, overlapped
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.row_gemm import row_gemm_kernel
from ..kernels.row_sizes import FEW, RowGemm, is_low
from ..kernels.rows import vector_widths
from ..layers import element_of
from .base import KernelFamily, Layer, Packed, shares_well, sums_in_runs
from .blocks import block_heights, pack_blocks

# Filters of a tile. Single ones load a vector for each multiply-add, and still gain by it beside
# vectors over filters, which they would not fill.
HEIGHTS = (1, 2, 4, 6, 8, 12, 16)
# So many of those that a scheme allows: lower ones load more.
HIGHEST = 3
# Vectors of rows, where there are so many: cores that multiply and add two of them in a cycle would
# wait for weights otherwise. (Measured with blocks of 8 on Zen 5: a fourth more time with one.)
VECTORS = 2
# Cache lines of a column at most: these are asked for a few columns ahead, and a core waits for no
# more than some dozens. (Measured with single filters on Zen 5: four of them take twice as long as
# two for the same rows.)
LINES = 3
# Parts that the blocks of filters are cut into. Each workgroup transposes its rows again.
SHARES = (1, 2, 3, 4, 6, 8)
# Seconds of a workgroup for which it is worth transposing rows again, so that threads find more.
LEAST = 80e-6


class RowGemmFamily(KernelFamily):
    """Linear layers with rows enough for vectors of them."""

    kernel = RowGemmAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """The layer as it is, and dense."""
        rows, inputs = layer.op.input.type.shape
        # Squares of a vector's rows and inputs are transposed.
        if min(rows, inputs) < layer.vector.lanes:
            return
        for scheme in {layer.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)
            for height in row_heights(layer, scheme):
                blocks = block_columns(mask, scheme, height)
                count = sum(number for number, _ in blocks.values())
                for tile in row_tiles(layer, height, count):
                    seconds = row_gemm_seconds(layer, blocks, tile)
                    if shares_rows_well(layer, count, tile, seconds):
                        yield Candidate(scheme, RowGemmAttr.of(*tile), seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Blocks, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Blocks in the order in which workgroups take them.

        Where sums wait for each other, a workgroup's filters are neighbours.
        """
        tile = op.attributes["kernel"].tile
        together = tile.blocks if tile.filters >= FEW else 0
        return pack_blocks(op, weights, narrow, height=tile.filters, together=together)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_linear`."""
        vector = target.vector(element_of(op.input))
        linear = RowGemm(
            rows=rows_of_linear(op),
            inputs=op.input.type.shape[1],
            filters=op.result.type.shape[1],
            tile=op.kernel.tile,
            **block_heights(op, op.kernel.tile.filters)._asdict(),
            lanes=vector.lanes,
            weight_lanes=vector.weight_lanes,
            runs=sums_in_runs(op, target),
            input=layout_of(op.input.type),
            result=layout_of(op.result.type),
        )
        for layout in (linear.input, linear.result):
            if layout is not None and layout.sizes != (linear.rows_together,):
                told = f"has panels of {layout.plane} rows, its kernel {linear.rows_together}"
                raise PassFailure(op.location, told)
        return row_gemm_kernel(linear, op.epilogue.blocks[0]), self.operands(op)

    def panels(self, op: Any, target: Target) -> dict[int, Any]:
        """Those of all tiles that sums of the layer's blocks leave registers for."""
        tile, vector = op.attributes["kernel"].tile, target.vector(element_of(op.input))
        # Panels have numbers as they are computed with.
        if vector.stored != vector.computed:
            return {}
        covering = -(-rows_of_linear(op) // vector.lanes)
        most = min(most_vectors(vector, tile.filters), covering)
        every = range(min(VECTORS, covering), most + 1)
        own_first = sorted(every, key=lambda vectors: vectors != tile.vectors)
        return {
            vectors * vector.lanes: RowGemmAttr.of(*tile._replace(vectors=vectors))
            for vectors in own_first
        }


def row_heights(layer: Layer, scheme: Scheme) -> list[int]:
    """Filters of a tile: the highest that a scheme allows and registers have room for."""
    vectors = min(VECTORS, -(-layer.op.input.type.shape[0] // layer.vector.lanes))
    held = [height for height in HEIGHTS if most_vectors(layer.vector, height) >= vectors]
    return layer.heights(scheme, held)[-HIGHEST:]


def most_vectors(vector: Vector, height: int) -> int:
    """Vectors of rows whose sums registers hold, beside inputs and a weight."""
    lines = LINES * LINE_BYTES // (vector.lanes * vector.computed.bytes)
    return min((vector.registers - 1) // (height + 1), lines)


def row_tiles(layer: Layer, height: int, blocks: int) -> Iterator[RowGemmTile]:
    """Vectors of rows, and blocks of a workgroup, for tiles of `height` filters.

    Where sums wait for each other, filters of all workgroups but the last fill whole vectors.
    """
    lanes = layer.vector.lanes
    covering = -(-layer.op.input.type.shape[0] // lanes)
    most = min(most_vectors(layer.vector, height), covering)
    step = lanes // height if is_low(height, lanes) else 1
    parts = {min(blocks, round_up(-(-blocks // share), step)) for share in SHARES}
    for vectors, together in itertools.product(
        range(min(VECTORS, covering), most + 1), sorted(parts, reverse=True)
    ):
        yield RowGemmTile(height, vectors, together)


def shares_rows_well(layer: Layer, blocks: int, tile: RowGemmTile, seconds: float) -> bool:
    """Whether threads find as many workgroups as are worth it."""
    groups = -(-layer.op.input.type.shape[0] // (tile.vectors * layer.vector.lanes))
    workgroups = groups * -(-blocks // tile.blocks)
    return shares_well(workgroups, min(groups * blocks, int(seconds / LEAST)))


def row_gemm_seconds(layer: Layer, blocks: BlockCounts, tile: RowGemmTile) -> float:
    """A layer with so many blocks and columns."""
    target, vector, core = layer.target, layer.vector, layer.target.cpu_core
    rows, inputs = layer.op.input.type.shape
    all_blocks = sum(count for count, _ in blocks.values())
    columns = sum(kept for _, kept in blocks.values())
    shares = -(-all_blocks // tile.blocks)
    cycles, near = 0.0, 0.0
    for vectors, groups in row_groups(rows, vector, tile.vectors):
        panel = inputs * vectors * vector.lanes * vector.computed.bytes
        computing = sum(
            kept * column_cycles(target, vector, height, vectors, straddling=1)
            + count * vectors * end_cycles(target, vector, height)
            for height, (count, kept) in blocks.items()
        )
        transposing = shares * inputs * vectors * square_cycles(target, vector)
        cycles += groups * (computing + transposing + shares * WORKGROUP_START)
        # What the nearest cache does not hold of a panel comes from the next one.
        near += groups * max(0, panel - core.cache[0]) * columns / inputs
    values = sum(vector.stored.bytes * height * kept for height, (_, kept) in blocks.items())
    passes = -(-rows // (tile.vectors * vector.lanes))
    far = values * passes if values > core.cache[1] else 0
    moves = near / core.bandwidth[0], far / core.bandwidth[1]
    return overlapped(cycles, *moves) / core.clock


def row_groups(rows: int, vector: Vector, vectors: int) -> Iterator[tuple[float, int]]:
    """Vectors of the groups that rows are cut into, and how many groups have so many."""
    whole, rest = divmod(rows, vectors * vector.lanes)
    if whole:
        yield float(vectors), whole
    if rest:
        yield sum(vector_widths(rest, vector.lanes)) / vector.lanes, 1


def square_cycles(target: Target, vector: Vector) -> float:
    """To load, transpose and store a vector of a panel."""
    core = target.cpu_core
    return math.log2(vector.lanes) / core.multiply_adds + 1 / core.loads + 1 / core.stores


def end_cycles(target: Target, vector: Vector, height: int) -> float:
    """To transpose and store the sums of a block for a vector of rows."""
    core = target.cpu_core
    if is_low(height, vector.lanes):
        # They wait in scratch memory for those of as many filters as there are lanes.
        stages = math.log2(vector.lanes) / core.multiply_adds
        return height * (stages + 2 / core.stores + 1 / core.loads)
    stages = height * math.log2(height) / core.multiply_adds
    return stages + vector.lanes * max(1, height / vector.lanes) / core.stores

"""Linear layers: vectors run over the filters of a block, several rows share each of them.

for each block of filters:
  acc[rows][filters] = 0
  for each kept column of the block:
    w[filters] = load values                              weights are read once, in order
    for each row: acc[row][:] += broadcast(input[row, column]) * w[:]

workgroup x: block, y: group of rows
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Blocks, MatvecTile

from .accesses import load_index, pieces
from .block_sums import Reads, block_sums, vector_cuts
from .control import when
from .epilogue import sum_type
from .epilogue_rows import is_long
from .filter_rows import store_rows
from .indices import Index, above, below
from .joined_vectors import joined
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory


@dataclass(frozen=True, kw_only=True)
class Matvec:
    """A linear layer as this kernel sees it.

    Attributes:
        rows, inputs, filters: sizes; input is rows x inputs, result rows x filters.
        tile: filters of a full block, rows that share a weight vector, bands of the columns.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        lanes: f32 values of a vector; on a GPU the threads of a workgroup, which hold one each.
        most_sums: vectors of sums of all parts; the others would leave registers.
    """

    rows: int
    inputs: int
    filters: int
    tile: MatvecTile
    rest: int
    full_blocks: int
    blocks: int
    lanes: int
    most_sums: int


def matvec_kernel(linear: Matvec, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`."""
    whole, left = divmod(linear.rows, linear.tile.rows)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        block, group, _ = workgroup
        row = group * linear.tile.rows
        heights = [(linear.tile.filters, linear.full_blocks > 0, below(block, linear.full_blocks))]
        heights.append(
            (linear.rest, linear.full_blocks < linear.blocks, above(block, linear.full_blocks - 1))
        )
        for height, exists, is_this in heights:
            if not exists:
                continue
            with when(is_this):
                if whole:
                    with when(below(group, whole)):
                        _rows(linear, epilogue, memory, block, height, row, linear.tile.rows)
                if left:
                    with when(above(group, whole - 1)):
                        _rows(linear, epilogue, memory, block, height, row, left)

    workgroups = (linear.blocks, whole + (left > 0), 1)
    return Kernel("matvec", (linear, epilogue_key(epilogue)), workgroups, emit)


def _rows(
    linear: Matvec,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    block: Index,
    height: int,
    row: Index,
    rows: int,
) -> None:
    """`rows` rows of the result for one block of filters."""
    arrays, kind = memory.arrays, sum_type(epilogue)
    filter_ = load_index(arrays.blocks, block * 4)
    starts = [(row + r) * linear.inputs for r in range(rows)]
    cuts = vector_cuts(height, linear.lanes)
    results = block_sums(
        kind,
        arrays,
        block,
        cuts,
        Reads(memory.input, starts),
        linear.lanes,
        linear.most_sums,
        linear.tile.bands,
    )
    for i, (offset, width) in enumerate(cuts):
        sums = results[i :: len(cuts)]
        _finish(linear, epilogue, memory, sums, row, filter_ + offset, width)


def _finish(
    linear: Matvec,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    sums: list[ir.Value],
    row: Index,
    filter_: Index,
    width: int,
) -> None:
    """Epilogue and store of the same `width` filters of several rows, whose `sums` these are."""
    for together in _rows_together(epilogue, len(sums), width, linear.lanes):
        places = [(row + r) * linear.filters + filter_ for r in together]
        total = joined([sums[r] for r in together])
        store_rows(epilogue, memory, total, filter_, places, width)


def _rows_together(epilogue: ir.Block, rows: int, width: int, lanes: int) -> list[range]:
    """Rows whose results, vectors of `width`, are computed as one: a function costs as much."""
    most = lanes // width if is_long(epilogue) and width > 1 else 1
    return [
        range(first + i * count, first + (i + 1) * count)
        for first, count, repeats in pieces(rows, most)
        for i in range(repeats)
    ]

"""Linear layers of many rows: gather-GEMM whose vectors run over rows.

    panel[inputs][rows] = transpose input[rows][inputs]      in scratch memory of the workgroup
    for each block of filters:
      acc[filters][vectors] = 0
      for each kept column of the block:
        x[vectors] = load panel[column]                      one load for each vector
        for each filter: acc[filter][:] += weight * x[:]     one multiply-add for each vector
      transpose acc: vectors run over filters again
      store epilogue(acc)

Where blocks have few filters, the last two steps come after all blocks, for as many filters at once
as a vector has lanes (`row_ends.py`).

Rows share each weight, and filters share what is loaded of rows, so that loads are few beside
multiply-adds, whatever columns a block keeps.

    workgroup x: group of rows, y: group of blocks
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch_mlir.ir as ir

from niwaki.dialects import Blocks
from niwaki.targets import LINE_BYTES

from .accesses import element_bytes, load_index, store
from .blocks import each_block
from .control import when
from .epilogue import sum_type
from .gather_gemm import WEIGHTS_AHEAD, accumulate, gather
from .indices import Index, above, below
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .row_ends import Finish, finish_held, hold, in_panels, in_rows
from .row_sizes import RowGemm, RowTile
from .rows import for_pieces, vector_widths
from .squares import load_transposed
from .vectors import in_type


def row_gemm_kernel(linear: RowGemm, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`."""
    whole, rest = linear.rows // linear.rows_together, linear.last_rows
    row_groups, block_groups = whole + (rest > 0), -(-linear.blocks // linear.tile.blocks)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, _ = workgroup
        # Panels of the input serve all groups of blocks, scratch memory is a workgroup's own.
        own = (y * row_groups + x) * linear.scratch
        panel = x * linear.panel if linear.input else own
        held = own if linear.input else own + linear.panel
        finish = in_panels(linear, epilogue) if linear.result else in_rows(linear, epilogue)

        def compute(first: Index, rows: int) -> None:
            widths = vector_widths(rows, linear.lanes)
            pitch = linear.rows_together if linear.input else sum(widths)
            tile = RowTile(first, rows, widths, panel, pitch, held)
            _rows(linear, epilogue, memory, tile, y, finish)

        if whole:
            with when(below(x, whole)):
                compute(x * linear.rows_together, linear.rows_together)
        if rest:
            with when(above(x, whole - 1)):
                compute(Index(whole * linear.rows_together), rest)

    workgroups = (row_groups, block_groups, 1)
    computed = ir.F16Type.get() if linear.runs else sum_type(epilogue)
    room = ir.RankedTensorType.get([math.prod(workgroups) * linear.scratch], computed)
    scratch = room if linear.scratch else None
    key = (linear, epilogue_key(epilogue))
    return Kernel("row_gemm", key, workgroups, emit, linear.input, linear.result, scratch)


def _rows(
    linear: RowGemm,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    tile: RowTile,
    block_group: Index,
    finish: Finish,
) -> None:
    """All blocks of a workgroup for its rows."""
    panels = memory.input
    if linear.input is None:
        assert memory.scratch is not None
        panels = memory.scratch
        _transpose(linear, memory.input, panels, tile)
    kind, products = sum_type(epilogue), ir.MemRefType(panels.type).element_type
    panel, table = replace(memory, input=panels), memory.arrays.blocks
    # It begins with one.
    lines = [*range(0, sum(tile.widths), LINE_BYTES // element_bytes(panels))]
    inputs = gather(products, panel, tile.panel, tile.pitch, tile.starts, tile.widths, lines)

    def block(number: Index, height: int) -> None:
        filter_, first, last, value = (load_index(table, number * 4 + i) for i in range(4))
        columns, widths = (first, last, value), tile.widths
        sums = accumulate(
            *(kind, products, memory.arrays.values, columns, height, widths, inputs),
            weight_lanes=linear.weight_lanes,
            ahead=WEIGHTS_AHEAD,
        )
        if linear.holds_sums:
            hold(memory, tile, sums, filter_ - block_group * linear.filters_together)
        else:
            finish(memory, tile, sums, filter_)

    each_block(linear, block_group, block)
    if linear.holds_sums:
        finish_held(linear, memory, tile, block_group, finish)


def _transpose(linear: RowGemm, source: ir.Value, scratch: ir.Value, tile: RowTile) -> None:
    """Write the panel: squares of as many inputs as a vector has rows."""
    kind = ir.MemRefType(scratch.type).element_type
    for begin, width in zip(tile.starts, tile.widths, strict=True):
        rows = [tile.first + min(begin + i, tile.rows - 1) for i in range(width)]

        def square(number: Index, count: int, begin: int = begin, rows: list[Index] = rows) -> None:
            places = [row * linear.inputs + number for row in rows]
            for i, value in enumerate(load_transposed(source, places)):
                at = tile.panel + (number + i) * tile.pitch + begin
                store(in_type(kind, value), scratch, at)

        for_pieces(linear.inputs, width, square)

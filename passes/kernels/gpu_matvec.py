"""Linear layers on a GPU: each thread computes one filter for some rows of the input.

workgroup x: tile of filters, y: group of rows
  for each kept column of the block that the thread's filter is in:
    w = load values                            neighbours for neighbours
    for each row: acc[row] += input[row, column] * w
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import Blocks

from .builder import (
    Index,
    above,
    below,
    fma,
    fold_range,
    load_as,
    load_index,
    select_index,
    store,
    when,
    zero,
)
from .epilogue import sum_type
from .gpu_threads import finish, thread
from .library import Kernel, Workgroup, epilogue_key
from .matvec import Matvec
from .operands import Memory


def gpu_matvec_kernel(linear: Matvec, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`."""
    whole, left = divmod(linear.rows, linear.tile.rows)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        tile, group, _ = workgroup
        number = tile * linear.lanes + thread()
        row = group * linear.tile.rows
        with when(below(number, linear.filters)):
            if whole:
                with when(below(group, whole)):
                    _rows(linear, epilogue, memory, number, row, linear.tile.rows)
            if left:
                with when(above(group, whole - 1)):
                    _rows(linear, epilogue, memory, number, row, left)

    workgroups = (-(-linear.filters // linear.lanes), whole + (left > 0), 1)
    return Kernel("matvec", (linear, epilogue_key(epilogue)), workgroups, emit)


def _rows(
    linear: Matvec,
    epilogue: ir.Block,
    memory: Memory[Blocks[ir.Value]],
    number: Index,
    row: Index,
    rows: int,
) -> None:
    """`rows` rows of the result for the filter of one thread."""
    source, arrays, kind = memory.input, memory.arrays, sum_type(epilogue)
    block, lane, height = _place(linear, number)
    filter_, first, last, value = (load_index(arrays.blocks, block * 4 + i) for i in range(4))
    filter_, value = filter_ + lane, value + lane

    def column(entry: Index, sums: list[ir.Value]) -> list[ir.Value]:
        at = load_index(arrays.offsets, entry)
        weight = load_as(kind, arrays.values, value + (entry - first) * height)
        return [
            fma(load_as(kind, source, (row + r) * linear.inputs + at), weight, sums[r])
            for r in range(rows)
        ]

    sums = fold_range(first, last, [zero(kind)] * rows, column)
    for r, accumulator in enumerate(sums):
        at = (row + r) * linear.filters + filter_
        store(finish(epilogue, accumulator, memory, filter_, at), memory.result, at)


def _place(linear: Matvec, number: Index) -> tuple[Index, Index, Index]:
    """Block of a thread's filter, the filter's place in it, and how many filters the block has.

    Threads are dealt out to full blocks first, then to the lower ones.
    """
    height = linear.tile.filters
    full = linear.full_blocks * height
    in_full = (number // height, number % height, Index(height))
    if full == linear.filters:
        return in_full
    after = number - full
    in_lower = (after // linear.rest + linear.full_blocks, after % linear.rest, Index(linear.rest))
    if full == 0:
        return in_lower
    is_full = below(number, full)
    block, lane, size = (
        select_index(is_full, a, b) for a, b in zip(in_full, in_lower, strict=True)
    )
    return block, lane, size

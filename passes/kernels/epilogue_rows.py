"""A tile's sums to its epilogue, row by row: written out where that is short, else in a loop.

    acc[8][3] --> epilogue(acc[0][:]), epilogue(acc[1][:]), ...     a ReLU: 24 copies of one op
    acc[8][3] --> sums on the stack; for row: epilogue(sums[row])   a SiLU: 3 copies of 30 ops

A function such as the exponential becomes dozens of instructions. Copies for every row of every
tile took a quarter of IREE's time for YOLOv8n, whose layers have SiLU. Sums on the way through the
stack cost a store and a load, which is little beside such a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch_mlir.ir as ir

from .accesses import load, store
from .control import for_range
from .epilogue import sum_type
from .indices import Index
from .local_buffers import local_vectors

# Gets the number of a row and its vectors.
Row = Callable[[Index, list[ir.Value]], None]
# Gets a tile's vectors, row by row, the widths of a row's, and what to do for each row.
EachRow = Callable[[list[ir.Value], list[int], Row], None]

LONG = 16  # ops
# What is one instruction, or few.
SHORT_FUNCTIONS = ("math.absf", "math.ceil", "math.copysign", "math.floor", "math.fma", "math.sqrt")


def is_long(epilogue: ir.Block) -> bool:
    """Whether an epilogue has so many instructions that copies of it cost."""
    names = [op.operation.name for op in epilogue.operations]
    functions = [name.startswith("math.") and name not in SHORT_FUNCTIONS for name in names]
    return any(functions) or len(names) > LONG


def rows_of_tile(epilogue: ir.Block, rows: int, vectors: int, widths: Iterable[int]) -> EachRow:
    """How to walk the rows of tiles of at most so many rows and vectors, of any of `widths`.

    To be called outside of loops: what they take from the stack comes back with the function only.
    """
    if not is_long(epilogue):
        return _written_out
    kind = sum_type(epilogue)
    stacks = {width: local_vectors(rows * vectors, width, kind) for width in sorted(set(widths))}

    def in_loop(sums: list[ir.Value], widths: list[int], body: Row) -> None:
        count = len(widths)
        for number, value in enumerate(sums):
            store(value, stacks[widths[number % count]], Index(number))
        with for_range(0, len(sums) // count) as row:
            places = [row * count + number for number in range(count)]
            stored = zip(places, widths, strict=True)
            body(row, [load(stacks[width], place) for place, width in stored])

    return in_loop


def _written_out(sums: list[ir.Value], widths: list[int], body: Row) -> None:
    count = len(widths)
    for row in range(len(sums) // count):
        body(Index(row), sums[row * count : (row + 1) * count])

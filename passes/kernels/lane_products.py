"""Products of single numbers and vectors, both computed: register blocks, and rows turned for them.

sums[row][vector] += number[row] * vector         over some depth, a register block at a time
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch_mlir.ir as ir
from torch_mlir.dialects import vector

from .control import fold_range, for_range
from .indices import Index
from .lanes import transposed
from .vectors import float_constant, fma, lane_type, lanes_of, splat

# Numbers of all rows for each of some steps from one on, and the vectors of one step.
Numbers = Callable[[Index, int], "list[list[ir.Value]]"]
Vectors = Callable[[Index], "list[ir.Value]"]
# The first of some rows, how many, and what is carried from rows to rows.
Rows = Callable[[Index, int, "list[ir.Value]"], "list[ir.Value]"]


def in_rows(count: int, rows: int, start: list[ir.Value], body: Rows) -> list[ir.Value]:
    """`body(first, rows, carried)` for so many rows at a time, then for those that are left."""
    whole = count // rows * rows
    carried = fold_range(0, whole, start, lambda at, old: body(at, rows, old), step=rows)
    return body(Index(whole), count - whole, carried) if whole < count else carried


def add_products(
    depth: int, width: int, sums: list[ir.Value], numbers: Numbers, vectors: Vectors
) -> list[ir.Value]:
    """Sums of a register block, row by row, with the products of `depth` steps added.

    Numbers of `width` steps are loaded at once.
    """

    def steps(count: int) -> Callable[[Index, list[ir.Value]], list[ir.Value]]:
        def body(at: Index, totals: list[ir.Value]) -> list[ir.Value]:
            for step, singles in enumerate(numbers(at, count)):
                factors = vectors(at + step)
                spread = [splat(one, lanes_of(factors[0])) for one in singles]
                pairs = [(number, factor) for number in spread for factor in factors]
                totals = [fma(*pair, total) for pair, total in zip(pairs, totals, strict=True)]
            return totals

        return body

    whole = depth // width * width
    sums = fold_range(0, whole, sums, steps(width), step=width)
    return fold_range(whole, depth, sums, steps(1)) if whole < depth else sums


def turn_rows(
    count: int,
    lanes: int,
    rows: Sequence[int],
    read: Callable[[Index, int, int], ir.Value],
    write: Callable[[Index, ir.Value], None],
) -> None:
    """Numbers 0 to `count` of some rows, which become lanes: `write(number, vector)`.

    `read(number, row, width)` gives so many neighbours as f32. Lanes without a row are zeros.
    """
    kind, missing = ir.F32Type.get(), lanes - len(rows)
    whole = count // lanes * lanes
    with for_range(0, whole, lanes) as first:
        read_rows = [read(first, row, lanes) for row in rows]
        read_rows += [float_constant(0.0, kind, lanes)] * missing
        for step, (lane,) in enumerate(transposed(read_rows, lanes)):
            write(first + step, lane)
    with for_range(whole, count) as number:
        singles = [read(number, row, 1) for row in rows]
        singles += [float_constant(0.0, kind)] * missing
        write(number, vector.from_elements(lane_type(kind, lanes), singles))

"""The end of linear layers: vectors over neighbouring filters of one row, or of several.

[row 0: filters f f+1 f+2 f+3 | row 1: filters f f+1 f+2 f+3]  -- epilogue -->  two stores
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir

from .accesses import load, store
from .epilogue import inline_epilogue
from .indices import Index
from .joined_vectors import joined, parted
from .operands import Memory


def store_rows(
    epilogue: ir.Block,
    memory: Memory[Any],
    value: ir.Value,
    filter_: Index,
    places: Sequence[Index],
    width: int,
) -> None:
    """Epilogue and store of sums: `width` filters, from `filter_` on, of each row side by side.

    `places` tells where each row has the first of them. Rows of the same place exist once.
    """
    count = len(places)
    extras = [joined([load(buffer, filter_, width)] * count) for buffer in memory.per_filter]
    for buffer in memory.per_position:
        extras.append(joined([load(buffer, at, width) for at in places]))
    result = inline_epilogue(epilogue, [value, *extras], width * count)
    last: Index | None = None
    for at, part in zip(places, parted(result, count, width), strict=True):
        if at is not last:
            store(part, memory.result, at)
        last = at

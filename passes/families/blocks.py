"""Weights in blocks of filters that share columns: what families that read them have in common.

    values     block after block, each columns x filters
    offsets    where each kept column is read
    blocks     filter, columns from and to, first value

The inverse is `niwaki.schemes.unpack`, once offsets are columns again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import LOOKAHEAD, Blocks, LinearOp, int_attr
from niwaki.targets import Target

from ..balance import balanced
from ..base import PassFailure
from ..layers import column_grid, groups_of, planar_input, tap_places
from .base import Packed, conv_sizes, sums_in_runs

I32_LIMIT = 2**31


def pack_blocks(
    op: Any,
    weights: npt.NDArray[Any],
    narrow: bool,
    *,
    height: int,
    parts: int = 1,
    together: int = 0,
) -> Packed:
    """Weights in blocks of `height` filters, the channels in `parts`.

    Where a workgroup takes `together` blocks they are ordered so that all have equal work.
    Otherwise the kernel finds a filter's blocks by its number, and they stay.

    Raises:
        PassFailure: the scheme gives blocks of other heights, which selection avoids.
    """
    packed = schemes.pack(weights, op.scheme.scheme, height, groups_of(op), parts)
    # Kernels have code for full blocks and for those of one lower height.
    heights = sorted({packed.block, *packed.filters.tolist()})
    if packed.block != height or len(heights) > 2:
        found = " and ".join(map(str, heights))
        scheme = op.scheme.scheme
        told = f"has a kernel for blocks of {height} filters, but {scheme} gives blocks of {found}"
        raise PassFailure(op.location, told)
    offsets = stored_offsets(op, packed.columns, narrow)
    table = np.stack(
        [packed.first_filter, packed.column_begin, packed.column_end, packed.value_begin], axis=1
    )
    work = (packed.column_end - packed.column_begin) * packed.filters
    if together:
        table = table[balanced(work, packed.filters, together)]
    arrays = Blocks(
        not_empty(packed.values),
        np.concatenate([offsets, np.zeros(LOOKAHEAD, offsets.dtype)]),
        table.astype(np.int32),
    )
    full = int(np.count_nonzero(packed.filters == packed.block))
    return Packed(arrays, {"full_blocks": int_attr(full)})


def stored_offsets(
    op: Any, columns: npt.NDArray[np.int32], narrow: bool
) -> npt.NDArray[np.int16] | npt.NDArray[np.int32]:
    """Where columns are read, as the packed ops store it.

    Raises:
        PassFailure: 32 bits do not suffice.
    """
    offsets = columns if isinstance(op, LinearOp) else column_offsets(columns, op)
    if offsets.size and int(offsets.max()) >= I32_LIMIT:
        raise PassFailure(
            op.location,
            f"reads {offsets.max()} elements away, beyond 32-bit offsets: use smaller inputs",
        )
    grid = column_grid(op)
    if narrow and grid.is_narrow:
        # Constants have no unsigned types; kernels read them so.
        return ((offsets - grid.origin) // grid.unit).astype(np.uint16).view(np.int16)
    return offsets.astype(np.int32)


def column_offsets(columns: npt.NDArray[np.int32], conv: Any) -> npt.NDArray[np.int64]:
    """Where a convolution reads each column: distance in elements from an image's output pixel.

    A column is input channel * taps + tap.
    """
    layout, taps = planar_input(conv), tap_places(conv)
    phases = len(layout.phases)
    places = np.array([phase * layout.plane + distance for phase, distance in taps], np.int64)
    channel, tap = np.divmod(columns.astype(np.int64), len(taps))
    return layout.lead + channel * phases * layout.plane + places[tap]


def not_empty(array: npt.NDArray[Any], size: int = 1) -> npt.NDArray[Any]:
    """Buffers need an element: a layer whose weights are all zero gets some that nothing reads."""
    return array if array.size else np.zeros(size, array.dtype)


class BlockHeights(NamedTuple):
    """Blocks of the kernel's full height, all blocks, and filters of each that is lower."""

    full_blocks: int
    blocks: int
    rest: int


def block_heights(op: Any, height: int) -> BlockHeights:
    """Of a packed op whose full blocks have `height` filters."""
    blocks, full = op.blocks.type.shape[0], op.full_blocks.value
    rest = (op.result.type.shape[1] - full * height) // max(1, blocks - full)
    return BlockHeights(full, blocks, rest)


class ColumnSteps(NamedTuple):
    """A column lies ``origin + unit * its offset`` elements from the output pixel."""

    origin: int
    unit: int


def column_steps(op: Any) -> ColumnSteps:
    """Those of a packed convolution; 0 and 1 where its offsets are distances."""
    if ir.IntegerType(op.offsets.type.element_type).width == 32:
        return ColumnSteps(0, 1)
    grid = column_grid(op)
    return ColumnSteps(grid.origin, grid.unit)


def blocked_sizes(op: Any, target: Target) -> dict[str, Any]:
    """What kernels of packed convolutions that take filters in blocks have in common, by name."""
    return {
        **conv_sizes(op, target),
        "channels": op.input.type.shape[1],
        **block_heights(op, op.kernel.tile.filters)._asdict(),
        **column_steps(op)._asdict(),
        "runs": sums_in_runs(op, target),
    }

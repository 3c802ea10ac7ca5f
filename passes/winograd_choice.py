"""Which convolutions are computed by Winograd's algorithm, and in which tiles."""

from __future__ import annotations

import os
from typing import Any

from niwaki.dialects import WinogradAttr, ints
from niwaki.targets import Target
from niwaki.winograd import TAPS


def takes_winograd(op: Any, target: Target) -> bool:
    """Whether a convolution has the form that the kernel takes."""
    if not os.environ.get("WINO"):
        return False
    data, weight = op.input.type, op.weight.type
    return (
        target.backend == "cpu"
        and list(weight.shape[2:]) == [TAPS, TAPS]
        and {*ints(op.strides), *ints(op.dilations), op.groups.value} == {1}
        and weight.shape[1] >= 16
        and str(op.scheme.scheme) == "dense"
    )


def winograd_kernel(op: Any, target: Target) -> WinogradAttr:
    """Tile and blocks."""
    outputs, height, vectors, together, rows, groups = map(int, os.environ["WINO"].split(","))
    rows_of_tiles = -(-op.result.type.shape[2] // outputs)
    rows = min(rows, rows_of_tiles)
    blocks = -(-rows_of_tiles // rows)
    together = min(together, -(-op.weight.type.shape[0] // height) * height)
    return WinogradAttr.of(outputs, height, vectors, together, rows, -(-blocks // groups))

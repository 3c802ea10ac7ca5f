"""Where the result of an ONNX ConvTranspose begins and ends, from any of its ways to say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx

from niwaki.frontend.onnx_graph import attribute
from niwaki.frontend.subpixel import Axis


def transposed_axes(node: onnx.NodeProto, sizes: Sequence[int], taps: Sequence[int]) -> list[Axis]:
    """The spatial dimensions of `node`, whose input has `sizes` and whose kernel has `taps`."""
    rank = len(sizes)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    longer = attribute(node, "output_padding", [0] * rank)
    axes = []
    for dim in range(rank):
        whole = Axis(sizes[dim], taps[dim], strides[dim], 0, dilations[dim], 0).result
        begin, result = _extent(node, dim, rank, sizes[dim] * strides[dim], whole + longer[dim])
        # An end further on than padding like that of the beginning leaves is output padding.
        end = result - whole + 2 * begin
        axes.append(Axis(sizes[dim], taps[dim], strides[dim], begin, dilations[dim], end))
    return axes


def _extent(node: onnx.NodeProto, dim: int, rank: int, same: int, whole: int) -> tuple[int, int]:
    """What the result lacks at its beginning of the `whole` one, and its size.

    `same` is what auto_pad SAME_UPPER and SAME_LOWER make it, where it is not smaller anyway.
    """
    mode: Any = attribute(node, "auto_pad", b"NOTSET")
    given = attribute(node, "output_shape", None)
    if given is None and mode == b"VALID":
        return 0, whole
    if given is None and mode == b"NOTSET":
        pads = attribute(node, "pads", [0] * 2 * rank)
        return pads[dim], whole - pads[dim] - pads[rank + dim]
    result = min(same, whole) if given is None else given[dim - rank]
    total = max(whole - result, 0)
    return (total // 2 if mode == b"SAME_UPPER" else total - total // 2), result

"""ONNX's `Pad` where torch-mlir or IREE would get it wrong, or slow.

Pad(x, [0, -1, 0, 2])            -->   Slice, Pad             IREE pads by no negative number
Pad(x, ...) by x's own values    -->   niwaki.take            of planes: onnx_taken.py
                                 -->   Slice, Concat          torch-mlir knows few sizes of them
"""

from __future__ import annotations

from typing import Any

import numpy as np

from niwaki.frontend.onnx_graph import Array, attribute
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_taken import take
from niwaki.frontend.stretches import is_slice, padded, stretches


def pad(steps: Steps) -> None:
    pads, axes = steps.input_constant(1), steps.input_constant(3)
    if pads is None:
        return
    rank = len(steps.input_shape())
    axes = np.arange(rank) if axes is None else axes % rank
    mode = attribute(steps.node, "mode", b"constant").decode()
    if mode != "constant":
        _repeat(steps, axes, pads, mode)
    elif pads.min(initial=0) < 0:
        _crop(steps, axes, pads)


def _crop(steps: Steps, axes: Array, pads: Array) -> None:
    """Cut what negative padding takes away, then pad."""
    shape = np.array(steps.input_shape())
    before, after = np.split(pads, 2)
    inner = steps.op(
        "Slice",
        steps.node.input[0],
        steps.constant(np.maximum(-before, 0)),
        steps.constant(shape[axes] + np.minimum(after, 0)),
        steps.constant(axes),
    )
    rest = list(steps.node.input)[2:]
    steps.op("Pad", inner, steps.constant(np.maximum(pads, 0)), *rest)


def _repeat(steps: Steps, axes: Array, pads: Array, mode: Any) -> None:
    """Pad one dimension after the other, the last one first: rows are small before they repeat."""
    data, shape = steps.node.input[0], steps.input_shape()
    sides = list(zip(axes, *np.split(pads, 2), strict=True))
    changed = [side for side in sides if any(side[1:])]
    if take(steps, {int(a): padded(shape[a], low, high, mode) for a, low, high in changed}):
        return
    for axis, before, after in sorted(sides, reverse=True):
        if before == after == 0:
            continue
        positions = padded(shape[axis], before, after, mode)
        parts = [_take(steps, data, axis, part) for part in stretches(positions)]
        data = steps.op("Concat", *parts, axis=int(axis)) if len(parts) > 1 else parts[0]
    if not steps.nodes:
        steps.op("Identity", data)


def _take(steps: Steps, data: str, axis: int, positions: Array) -> str:
    if not is_slice(positions):
        return steps.op("Gather", data, steps.constant(positions), axis=int(axis))
    begin, end = positions[0], positions[-1] + 1
    bounds = (steps.constant([value]) for value in (begin, end, axis))
    return steps.op("Slice", data, *bounds)

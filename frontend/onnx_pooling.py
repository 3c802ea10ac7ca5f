"""Poolings as torch-mlir computes them rightly: explicit padding, sizes rounded down, no dilation.

MaxPool(x) {ceil_mode}                -->   MaxPool(x) {pads}     padded so that windows just fit
MaxPool(x), with indices              -->   MaxPool(x), ArgMax    onnx_max_indices.py
AveragePool(x), counting its padding  -->   Pad, AveragePool      what is behind it never counts
AveragePool(x) {dilations}            -->   Conv(x, 1 / window), Mul by what padding takes
LpPool(x) {p = 2}                     -->   Sqrt(window * AveragePool(x * x))
"""

from __future__ import annotations

import math

import numpy as np

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_max_indices import max_indices
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_windows import Windows, is_automatic, windows


def max_pool(steps: Steps) -> None:
    w = windows(steps)
    wants_indices = len(steps.node.output) > 1 and bool(steps.node.output[1])
    if not (steps.attribute("ceil_mode") or is_automatic(steps) or wants_indices):
        return
    maxima = _pool(steps, steps.node.input[0], "MaxPool", w, w.before, w.after + w.overhang)
    if wants_indices:
        steps.results = [maxima, max_indices(steps, w)]


def average_pool(steps: Steps) -> None:
    w = windows(steps)
    counts_padding = bool(steps.attribute("count_include_pad", 0))
    if (w.dilation > 1).any():
        _dilated_average(steps, w, counts_padding)
    elif steps.attribute("ceil_mode") or is_automatic(steps):
        _average(steps, steps.node.input[0], w, counts_padding)


def lp_pool(steps: Steps) -> None:
    """The p-th root of a window's sum of powers."""
    w, p, x = windows(steps), steps.attribute("p", 2), steps.node.input[0]
    powers = steps.op("Mul", x, x) if p == 2 else steps.op("Abs", x)
    if p > 2:
        powers = steps.op("Pow", powers, steps.number(p))
    padded = _padded(steps, powers, w, w.overhang)
    if (w.dilation > 1).any():
        total = _weighted(steps, padded, w, 1.0)
    else:
        mean = _pool(steps, padded, "AveragePool", w, 0 * w.before, 0 * w.after)
        total = steps.op("Mul", mean, steps.number(math.prod(w.kernel)))
    if p == 2:
        steps.op("Sqrt", total)
    elif p > 2:
        steps.op("Pow", total, steps.number(1 / p))


def global_lp_pool(steps: Steps) -> None:
    x, p = steps.node.input[0], steps.attribute("p", 2)
    axes = steps.constant(range(2, len(steps.input_shape())))
    powers = x if p == 2 else steps.op("Abs", x)
    if p > 2:
        powers = steps.op("Pow", powers, steps.number(p))
    total = steps.op("ReduceL2" if p == 2 else "ReduceSum", powers, axes)
    if p > 2:
        steps.op("Pow", total, steps.number(1 / p))


def _pool(steps: Steps, x: str, op: str, w: Windows, before: Array, after: Array) -> str:
    dilation = {"dilations": w.dilation.tolist()} if op == "MaxPool" else {}
    return steps.op(
        op,
        x,
        kernel_shape=w.kernel.tolist(),
        strides=w.stride.tolist(),
        pads=[*before.tolist(), *after.tolist()],
        **dilation,
    )


def _padded(steps: Steps, x: str, w: Windows, overhang: Array) -> str:
    """`x` with zeros around it."""
    pads = np.concatenate([[0, 0], w.before, [0, 0], w.after + overhang])
    return steps.op("Pad", x, steps.constant(pads)) if pads.any() else x


def _average(steps: Steps, x: str, w: Windows, counts_padding: bool) -> None:
    if counts_padding:
        padded = _padded(steps, x, w, 0 * w.overhang)
        _pool(steps, padded, "AveragePool", w, 0 * w.before, w.overhang)
    else:
        _pool(steps, x, "AveragePool", w, w.before, w.after + w.overhang)


def _dilated_average(steps: Steps, w: Windows, counts_padding: bool) -> None:
    padded = _padded(steps, steps.node.input[0], w, w.overhang)
    mean = _weighted(steps, padded, w, 1 / math.prod(w.kernel))
    share = _share(w, counts_padding)
    if (share < 1).any():
        steps.op("Mul", mean, steps.number(1 / share))


def _weighted(steps: Steps, x: str, w: Windows, weight: float) -> str:
    """Sums over windows times `weight`, by a convolution of each channel alone."""
    channels = steps.input_shape()[1]
    return steps.op(
        "Conv",
        x,
        steps.number(np.full((channels, 1, *w.kernel), weight)),
        group=channels,
        strides=w.stride.tolist(),
        dilations=w.dilation.tolist(),
    )


def _share(w: Windows, counts_padding: bool) -> Array:
    """Which part of each window counts: what lies on the input, or on its padding as well."""
    share = np.ones(())
    for axis in range(len(w.size)):
        taps = np.arange(w.kernel[axis]) * w.dilation[axis]
        at = np.arange(w.count[axis])[:, None] * w.stride[axis] - w.before[axis] + taps
        low, high = 0, w.size[axis]
        if counts_padding:
            low, high = -w.before[axis], w.size[axis] + w.after[axis]
        share = share[..., None] * ((at >= low) & (at < high)).mean(1)
    return share

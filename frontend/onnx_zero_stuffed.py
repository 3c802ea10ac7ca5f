"""Transposed convolutions by computed weights, as ordinary ones of an input with zeros in between.

    ConvTranspose(x, w) {strides = [2]}       x: a b c
      -->
    Conv(a 0 b 0 c 0, turned w)

Constant weights are sorted when compiling, so that no zeros are needed (`onnx_transposed.py`). IREE
computes these. torch-mlir's own lowering refuses most padding, and depthwise ones.
"""

from __future__ import annotations

import numpy as np

from niwaki.frontend.onnx_graph import attribute
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_transposed_axes import transposed_axes


def stuff_with_zeros(steps: Steps) -> None:
    """The rule for `ConvTranspose`."""
    node, graph = steps.node, steps.graph
    x, weight, *bias = node.input
    if weight in graph.constants and all(name in graph.constants for name in bias if name):
        return
    images, channels, *sizes = steps.input_shape()
    _, filters, *taps = graph.type_of(weight).shape
    axes, rank = transposed_axes(node, sizes, taps), len(sizes)
    strides = [axis.stride for axis in axes]
    spread_sizes = [axis.size * axis.stride for axis in axes]
    if any(stride > 1 for stride in strides):
        split = [images, channels, *(n for size in sizes for n in (size, 1))]
        zeros = [0, 0, *(n for stride in strides for n in (0, stride - 1))]
        spread = steps.op("Reshape", x, steps.constant(split))
        spread = steps.op("Pad", spread, steps.constant([0] * len(zeros) + zeros))
        x = steps.op("Reshape", spread, steps.constant([images, channels, *spread_sizes]))
    before = [axis.reach - axis.padding for axis in axes]
    after = [
        axis.result + axis.reach - first - size
        for axis, first, size in zip(axes, before, spread_sizes, strict=True)
    ]
    if min(*before, *after) < 0:  # zeros behind the last element, or more padding than taps
        first = np.maximum(np.negative(before), 0)
        end = np.add(spread_sizes, np.minimum(after, 0))
        bounds = (first, end, np.arange(2, 2 + rank))
        x = steps.op("Slice", x, *map(steps.constant, bounds))
    wider = [0, 0, *np.maximum(before, 0), 0, 0, *np.maximum(after, 0)]
    x = steps.op("Pad", x, steps.constant(wider))
    groups = attribute(node, "group", 1)
    for dim, count in enumerate(taps, 2):
        weight = steps.op("Gather", weight, steps.constant(np.arange(count)[::-1]), axis=dim)
    grouped = [groups, channels // groups, filters, *taps]
    weight = steps.op("Reshape", weight, steps.constant(grouped))
    weight = steps.op("Transpose", weight, perm=[0, 2, 1, *range(3, 3 + rank)])
    ordinary = [groups * filters, channels // groups, *taps]
    weight = steps.op("Reshape", weight, steps.constant(ordinary))
    dilations = [axis.dilation for axis in axes]
    steps.op("Conv", x, weight, *bias, group=groups, dilations=dilations)

"""Where the maxima of a pooling lie: ArgMax over the elements of each window, read one by one.

i of MaxPool(x)   -->   Gather(places of all windows' elements, ArgMax(Gather(x, places)))

ONNX counts elements from the begin of the whole tensor, by rows or columns of each image.
"""

from __future__ import annotations

import math

import numpy as np

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_windows import Windows


def max_indices(steps: Steps, w: Windows) -> str:
    images, channels = steps.input_shape()[:2]
    planes, size = images * channels, math.prod(w.size)
    places = _places(steps, w)
    count, taps = places.shape
    flat = steps.op("Reshape", steps.node.input[0], steps.constant([planes, size]))
    elements = steps.op("Gather", flat, steps.constant(places.reshape(-1)), axis=1)
    elements = steps.op("Reshape", elements, steps.constant([planes, count, taps]))
    tap = steps.op("ArgMax", elements, axis=2, keepdims=0)
    entry = steps.op("Add", tap, steps.constant(np.arange(count) * taps))
    numbers = places
    if steps.attribute("storage_order", 0):  # the first spatial dimension counts fastest
        numbers = np.ravel_multi_index(np.unravel_index(places, w.size), w.size, order="F")
    found = steps.op("Gather", steps.constant(numbers.reshape(-1)), entry)
    found = steps.op("Add", found, steps.constant(np.arange(planes)[:, None] * size))
    return steps.op("Reshape", found, steps.constant([images, channels, *w.count]))


def _places(steps: Steps, w: Windows) -> Array:
    """For each window the places of its elements in a plane, ``[windows, taps]``.

    In the padding is another place of the window, which the window has anyway.
    """
    flat = np.zeros((1, 1), np.int64)
    for axis, size in enumerate(w.size):
        first = np.arange(w.count[axis]) * w.stride[axis] - w.before[axis]
        at = first[:, None] + np.arange(w.kernel[axis]) * w.dilation[axis]
        inside = (at >= 0) & (at < size)
        if not inside.any(1).all():
            raise steps.refused("returns indices of windows in the padding", "use less padding")
        at = np.where(inside, at, at[np.arange(len(at)), inside.argmax(1)][:, None])
        flat = (flat[:, None, :, None] * size + at[None, :, None, :]).reshape(
            len(flat) * len(at), -1
        )
    return flat

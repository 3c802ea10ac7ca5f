"""The windows of a pooling, as its options say.

Poolings that fit no whole number of windows round down, or up by `ceil_mode`:

    size 6, window 3, stride 2          0 1 2 . 4 5       -->       0 1 2, 2 3 4   and up: 4 5 _
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_steps import Steps


@dataclass(frozen=True)
class Windows:
    """Along each dimension: the input's size, and the window's size, stride, dilation, padding.

    `count` is the number of windows, `overhang` what the last one needs behind the padding.
    """

    size: Array
    kernel: Array
    stride: Array
    dilation: Array
    before: Array
    after: Array
    count: Array

    @property
    def overhang(self) -> Array:
        reach = (self.count - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
        return np.maximum(reach - self.size - self.before - self.after, 0)


def is_automatic(steps: Steps) -> bool:
    return bool(steps.attribute("auto_pad", "NOTSET") != "NOTSET")


def windows(steps: Steps) -> Windows:
    size = np.array(steps.input_shape()[2:])
    rank = len(size)
    kernel = np.array(steps.attribute("kernel_shape"))
    stride = np.array(steps.attribute("strides", [1] * rank))
    dilation = np.array(steps.attribute("dilations", [1] * rank))
    before, after = np.split(np.array(steps.attribute("pads", [0] * 2 * rank)), 2)
    reach = (kernel - 1) * dilation + 1
    automatic = steps.attribute("auto_pad", "NOTSET")
    if automatic.startswith("SAME"):
        if (dilation > 1).any():
            raise steps.refused(
                "has auto_pad and dilations, which runtimes read in two ways", "give pads"
            )
        padding = np.maximum((-(-size // stride) - 1) * stride + reach - size, 0)
        less, more = padding // 2, padding - padding // 2
        before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
    elif automatic == "VALID":
        before, after = 0 * size, 0 * size
    room = size + before + after - reach
    count = room // stride + 1
    if steps.attribute("ceil_mode"):
        count = -(-room // stride) + 1
        # A window that begins in the padding behind the input is none.
        count -= (count - 1) * stride >= size + before
    return Windows(size, kernel, stride, dilation, before, after, count)

"""What each position of a resized axis is made of, as a matrix of positions x pixels.

nearest, 2 pixels to 4:   1 0        linear, half_pixel:   1.00 0.00
                          1 0                              0.75 0.25
                          0 1                              0.25 0.75
                          0 1                              0.00 1.00
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from niwaki.frontend.onnx_graph import Array


@dataclass(frozen=True)
class AxisResize:
    """One axis: its sizes before and after, the factor between them, and the node's options.

    `region` are the begin and end, in parts of the axis, that are left for `tf_crop_and_resize`.
    """

    size: int
    result: int
    scale: float
    mode: str
    transformation: str
    nearest: str
    cubic: float
    excludes_outside: bool
    antialias: bool
    region: tuple[float, float]

    def positions(self) -> Array:
        """Where each result lies between the pixels, in float32 as runtimes compute it."""
        x, size, scale = np.arange(self.result, dtype=np.float32), self.size, np.float32(self.scale)
        if self.transformation == "asymmetric":
            return x / scale
        if self.transformation == "tf_half_pixel_for_nn":
            return (x + np.float32(0.5)) / scale
        if self.transformation == "align_corners":
            return x * np.float32(size - 1) / np.float32(max(self.result - 1, 1))
        if self.transformation == "tf_crop_and_resize":
            start, end = self.region
            if self.result == 1:
                return np.array([(start + end) * (size - 1) / 2], np.float32)
            step = (end - start) * (size - 1) / (self.result - 1)
            return np.asarray(start * (size - 1) + x * np.float32(step), np.float32)
        if self.transformation == "pytorch_half_pixel" and self.result == 1:
            return np.zeros(1, np.float32)
        half = (x + np.float32(0.5)) / scale - np.float32(0.5)
        if self.transformation == "half_pixel_symmetric":
            exact = self.scale * size
            return np.asarray(half + size / 2 * (1 - self.result / exact), np.float32)
        return np.asarray(half, np.float32)

    def outside(self) -> Array:
        """Which results the node gives its `extrapolation_value`."""
        if self.transformation != "tf_crop_and_resize":
            return np.zeros(self.result, bool)
        at = self.positions()
        return np.asarray((at < 0) | (at > self.size - 1))

    def nearest_pixels(self) -> Array:
        """For each result the pixel it is, in mode nearest."""
        rounded = [_ROUNDING[self.nearest](at) for at in self.positions().astype(np.float64)]
        return np.clip(np.array(rounded, np.int64), 0, self.size - 1)

    def matrix(self) -> Array:
        """Weights: results x pixels. Pixels beyond the ends are those at the ends."""
        weights = np.zeros((self.result, self.size))
        for row, position in zip(weights, self.positions().astype(np.float64), strict=True):
            for pixel, weight in self._taps(float(position)):
                row[min(max(pixel, 0), self.size - 1)] += weight
        return weights

    def _taps(self, position: float) -> list[tuple[int, float]]:
        if self.mode == "nearest":
            return [(_ROUNDING[self.nearest](position), 1.0)]
        kernel = _linear if self.mode == "linear" else self._cubic
        reach = 1 if self.mode == "linear" else 2
        shrink = min(self.scale, 1.0) if self.antialias else 1.0
        if self.mode == "linear":
            position = min(max(position, 0), self.size - 1)
        width = math.ceil(reach / shrink)
        base = math.floor(position)
        pixels = range(base - width, base + width + 1)
        taps = [(pixel, kernel(abs(pixel - position) * shrink)) for pixel in pixels]
        taps = [(pixel, weight) for pixel, weight in taps if weight]
        if self.excludes_outside:
            taps = [(pixel, weight) for pixel, weight in taps if 0 <= pixel < self.size]
        total = sum(weight for _, weight in taps)
        return [(pixel, weight / total) for pixel, weight in taps]

    def _cubic(self, x: float) -> float:
        """Keys' kernel."""
        a = self.cubic
        if x <= 1:
            return ((a + 2) * x - (a + 3)) * x * x + 1
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


def _linear(x: float) -> float:
    return max(1 - x, 0.0)


# How far from the middle of two pixels is still the middle: factors such as 4/7 are rounded. It is
# what ONNX Runtime takes, too.
_TIE = 1e-6

_ROUNDING: dict[str, Callable[[float], int]] = {
    "round_prefer_floor": lambda x: math.ceil(x - 0.5 - _TIE),
    "round_prefer_ceil": lambda x: math.floor(x + 0.5 + _TIE),
    "floor": math.floor,
    "ceil": math.ceil,
}

"""GridSample as rows gathered from the image and added: one row a tap, all channels in it.

linear, 2-D:   y = (1 - fy) (1 - fx) x[y0, x0] + (1 - fy) fx x[y0, x0 + 1] + ...

torch-mlir's own lowering reads out of bounds where a point lies more than a pixel outside. Here
every position is clipped before it is read, and what lies outside gets the weight 0.
"""

from __future__ import annotations

import itertools
from functools import reduce
from typing import NamedTuple

import onnx

from niwaki.frontend.onnx_graph import type_name
from niwaki.frontend.onnx_steps import Steps

_CUBIC = -0.75  # ONNX's coefficient, and PyTorch's


class _Tap(NamedTuple):
    """Along one axis, for each point: a position in the image, its weight, and whether it is there.

    An empty weight is 1; empty `inside` means always.
    """

    position: str
    weight: str
    inside: str


def grid_sample(steps: Steps) -> None:
    x, grid = steps.node.input
    kind = steps.graph.type_of(x).element
    if kind != onnx.TensorProto.FLOAT:
        raise steps.refused(f"samples {type_name(kind)}", "cast its input to float32")
    images, channels, *sizes = steps.input_shape()
    points = steps.graph.type_of(grid).shape[1:-1]
    mode = steps.attribute("mode", "linear")
    if mode == "cubic" and len(sizes) != 2:
        raise steps.refused("has mode 'cubic' in other than two dimensions", "use mode 'linear'")
    last = [0, *range(2, 2 + len(sizes)), 1]
    rows = steps.op("Transpose", x, perm=last)
    rows = steps.op("Reshape", rows, steps.constant([-1, channels]))

    grid = steps.op("Cast", grid, to=onnx.TensorProto.FLOAT)
    flat = steps.op("Reshape", grid, steps.constant([images, -1, len(sizes)]))
    coordinates = [steps.take(flat, axis, axis=2) for axis in reversed(range(len(sizes)))]
    axes = [_Axis(steps, size, mode) for size in sizes]
    taps = [axis.taps(value) for axis, value in zip(axes, coordinates, strict=True)]
    first = steps.constant([[image * _area(sizes)] for image in range(images)])
    terms = [_term(steps, rows, first, sizes, chosen) for chosen in itertools.product(*taps)]
    result = reduce(lambda a, b: steps.op("Add", a, b), terms)
    result = steps.op("Reshape", result, steps.constant([images, *points, channels]))
    channels_first = [0, 1 + len(points), *range(1, 1 + len(points))]
    steps.op("Transpose", result, perm=channels_first)


def _area(sizes: list[int]) -> int:
    return reduce(lambda a, b: a * b, sizes, 1)


def _term(steps: Steps, rows: str, first: str, sizes: list[int], taps: tuple[_Tap, ...]) -> str:
    """The rows at one tap of each axis, times its weight."""
    position = taps[0].position
    for size, tap in zip(sizes[1:], taps[1:], strict=True):
        scaled = steps.op("Mul", position, steps.constant(size))
        position = steps.op("Add", scaled, tap.position)
    values = steps.op("Gather", rows, steps.op("Add", position, first), axis=0)
    column = steps.constant([2])
    if inside := [tap.inside for tap in taps if tap.inside]:
        everywhere = reduce(lambda a, b: steps.op("And", a, b), inside)
        zero = steps.op("CastLike", steps.constant(0.0, "float32"), values)
        values = steps.op("Where", steps.op("Unsqueeze", everywhere, column), values, zero)
    if weights := [tap.weight for tap in taps if tap.weight]:
        weight = reduce(lambda a, b: steps.op("Mul", a, b), weights)
        values = steps.op("Mul", values, steps.op("Unsqueeze", weight, column))
    return values


class _Axis:
    """One axis of the image, and what the node says of it."""

    def __init__(self, steps: Steps, size: int, mode: str) -> None:
        self.steps, self.size, self.mode = steps, size, mode
        self.padding = steps.attribute("padding_mode", "zeros")
        self.corners = bool(steps.attribute("align_corners", 0))
        self.low, self.high = (0.0, size - 1.0) if self.corners else (-0.5, size - 0.5)

    def taps(self, coordinate: str) -> list[_Tap]:
        """The pixels that points at `coordinate`, from -1 to 1, are made of."""
        pixel = self._pixel(coordinate)
        if self.mode == "nearest":
            return [self._tap(self._brought_inside(self._op("Round", pixel)), "")]
        if self.mode == "linear":
            pixel = self._brought_inside(pixel)
        base = self._op("Floor", pixel)
        fraction = self._op("Sub", pixel, base)
        if self.mode == "linear":
            weights = {0: self._sub(1, fraction), 1: fraction}
        else:
            weights = self._cubic(fraction)
        return [
            self._tap(self._brought_inside(self._add(base, step)), weight)
            for step, weight in weights.items()
        ]

    def _pixel(self, coordinate: str) -> str:
        moved = self._add(coordinate, 1)
        if self.corners:
            return self._mul(self._mul(moved, 0.5), self.size - 1)
        return self._mul(self._add(self._mul(moved, self.size), -1), 0.5)

    def _brought_inside(self, pixel: str) -> str:
        """What padding makes of a position; zeros leave it."""
        if self.padding == "border":
            return self._op("Clip", pixel, self._number(0), self._number(self.size - 1))
        if self.padding == "reflection":
            return self._reflected(pixel)
        return pixel

    def _reflected(self, pixel: str) -> str:
        """As in a row of mirror images: there and back again is a period."""
        span = self.high - self.low
        if span == 0:
            return self._mul(pixel, 0)
        distance = self._op("Abs", self._add(pixel, -self.low))
        periods = self._op("Floor", self._mul(distance, 0.5 / span))
        within = self._op("Sub", distance, self._mul(periods, 2 * span))
        folded = self._sub(span, self._op("Abs", self._sub(span, within)))
        return self._add(folded, self.low)

    def _tap(self, position: str, weight: str) -> _Tap:
        low, high = self._number(0), self._number(self.size - 1)
        inside = ""
        if self.padding == "zeros":
            above = self._op("GreaterOrEqual", position, low)
            inside = self._op("And", above, self._op("LessOrEqual", position, high))
        clipped = self._op("Clip", position, low, high)
        index = self._op("Cast", clipped, to=onnx.TensorProto.INT64)
        # Once more as integers: NaN passes the first, and becomes any number.
        ends = (self.steps.constant(0), self.steps.constant(self.size - 1))
        return _Tap(self._op("Clip", index, *ends), weight, inside)

    def _cubic(self, fraction: str) -> dict[int, str]:
        """Keys' weights, by how far a pixel is from the one before the point."""
        other = self._sub(1, fraction)
        return {
            -1: self._far(self._add(fraction, 1)),
            0: self._near(fraction),
            1: self._near(other),
            2: self._far(self._add(other, 1)),
        }

    def _near(self, x: str) -> str:
        """((a + 2) x - (a + 3)) x^2 + 1"""
        inner = self._add(self._mul(x, _CUBIC + 2), -(_CUBIC + 3))
        return self._add(self._op("Mul", inner, self._op("Mul", x, x)), 1)

    def _far(self, x: str) -> str:
        """((a x - 5 a) x + 8 a) x - 4 a"""
        inner = self._op("Mul", self._add(self._mul(x, _CUBIC), -5 * _CUBIC), x)
        return self._add(self._op("Mul", self._add(inner, 8 * _CUBIC), x), -4 * _CUBIC)

    def _op(self, op: str, *inputs: str, **attributes: int) -> str:
        return self.steps.op(op, *inputs, **attributes)

    def _number(self, value: float) -> str:
        return self.steps.constant(value, "float32")

    def _add(self, x: str, number: float) -> str:
        return self._op("Add", x, self._number(number))

    def _sub(self, number: float, x: str) -> str:
        return self._op("Sub", self._number(number), x)

    def _mul(self, x: str, number: float) -> str:
        return self._op("Mul", x, self._number(number))

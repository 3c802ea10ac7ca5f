"""Products of Winograd's algorithm that a strided convolution's phases make zero."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from niwaki.dialects import SquareWindow, WinogradTile
from niwaki.passes.kernels.rows import plain_layout
from niwaki.passes.kernels.winograd_phases import Phase, phases_of
from niwaki.passes.kernels.winograd_sizes import Winograd
from niwaki.winograd import transform_weights


def window(kernel: int, stride: int, padding: int) -> SquareWindow:
    """The taps of a square convolution of images."""
    places = [divmod(tap - padding, stride) for tap in range(kernel)]
    first = min(shift for shift, _ in places)
    taps = max(shift for shift, _ in places) - first + 1
    every = [
        (stride * row[1] + column[1], 0, row[0] - first, column[0] - first)
        for row, column in itertools.product(places, places)
    ]
    return SquareWindow(taps, 1, (0, -first, -first), tuple(every))


def winograd(square: SquareWindow, phases: tuple[Phase, ...], channels: int) -> Winograd:
    plane = plain_layout([8, 8])
    sizes: dict[str, Any] = {"images": 1, "filters": 8, "lanes": 4, "weight_lanes": 4}
    return Winograd(
        input=plane,
        result=plane,
        channels=channels,
        phases=phases,
        depth=square.frames,
        padding=square.before,
        taps=square.taps,
        window=1,
        tile=WinogradTile(4, 8, 1, together=8, groups=1, rows=1, blocks=1),
        runs=False,
        lean=True,
        **sizes,
    )


@pytest.mark.parametrize(
    "layer", [(7, 2, 3), (7, 2, 2), (5, 2, 2), (5, 2, 1), (3, 1, 1), (4, 1, 0)]
)
def test_products_that_are_left_out_are_zero(layer: tuple[int, int, int]) -> None:
    """And all others are not, of weights that are not."""
    square, channels = window(*layer), 3
    numbers = tuple(range(layer[1] ** 2))
    phases = phases_of(square, numbers)
    kernels = np.zeros((1, len(phases), channels, square.taps, square.taps), np.float32)
    for place, phase in enumerate(phases):
        down, right = phase.moved
        for number, _, row, column in square.places:
            if number == phase.number:
                kernels[:, place, :, row - down, column - right] = 1 + row + 5 * column
    points = transform_weights(kernels.reshape(1, -1, square.taps, square.taps), 4)[..., 0]
    rows, begin, end = winograd(square, phases, channels).needed_planes
    planes = np.arange(len(phases) * channels)
    in_rows, in_columns = planes < rows, (planes >= begin) & (planes < end)
    assert (points[-1, :-1].any(axis=0) == in_rows).all()
    assert (points[:-1, -1].any(axis=0) == in_columns).all()
    assert ((points[-1, -1] != 0) == in_rows & in_columns).all()


def test_a_stem_of_7x7_needs_507_products() -> None:
    phases = phases_of(window(7, 2, 3), range(4))
    rows, begin, end = winograd(window(7, 2, 3), phases, 3).needed_planes
    assert [phase.number for phase in phases] == [2, 3, 1, 0]
    assert (rows, begin, end) == (6, 3, 9)
    assert 36 * 12 + 6 * rows + 6 * (end - begin) + (rows - begin) == 588 - 81

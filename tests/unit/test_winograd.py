"""Winograd's matrices give a direct convolution's results."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.winograd import PAIRS, transform, transform_weights

SIZES = pytest.mark.parametrize(("outputs", "taps"), PAIRS)


@SIZES
@given(seed=st.integers(0, 1000))
def test_one_tile(outputs: int, taps: int, seed: int) -> None:
    rng, matrices = np.random.default_rng(seed), transform(outputs, taps)
    x = rng.standard_normal((matrices.points, matrices.points))
    weights = rng.standard_normal((taps, taps))
    points = transform_weights(weights[None, None], outputs)[..., 0, 0]
    products = points * (matrices.inputs @ x @ matrices.inputs.T)
    found = matrices.results @ products @ matrices.results.T
    expected = direct(x[None, None], weights[None], outputs)[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@SIZES
def test_points_are_exact_in_f32(outputs: int, taps: int) -> None:
    """Otherwise what the points cancel would leave more than rounding errors."""
    matrices = transform(outputs, taps)
    for matrix in (matrices.inputs, matrices.results):
        np.testing.assert_array_equal(matrix.astype(np.float32).astype(np.float64), matrix)


@pytest.mark.parametrize(("size", "most"), [((2, 3), 1.5), ((4, 3), 3.0), ((4, 4), 4.0)])
def test_errors_are_a_few_times_those_of_a_direct_convolution(
    size: tuple[int, int], most: float
) -> None:
    """In f32, with sums in the order in which kernels add."""
    (outputs, taps), rng = size, np.random.default_rng(1)
    matrices, tiles = transform(*size), 200
    shape = (tiles, 12, matrices.points, matrices.points)
    x = rng.standard_normal(shape).astype(np.float32)
    weights = rng.standard_normal((12, taps, taps)).astype(np.float32)
    forward, back = (m.astype(np.float32) for m in (matrices.inputs, matrices.results))
    points = transform_weights(weights[None], outputs)[..., 0].transpose(2, 0, 1)
    products = np.cumsum(points * (forward @ x @ forward.T), axis=1)[:, -1]
    exact = direct(x.astype(np.float64), weights.astype(np.float64), outputs)
    errors = back @ products @ back.T - exact
    usual = direct(x, weights, outputs) - exact
    assert np.sqrt(np.mean(errors**2)) < most * np.sqrt(np.mean(usual**2))


def test_weights_are_filters_last() -> None:
    weights = np.arange(2 * 5 * 9, dtype=np.float32).reshape(2, 5, 3, 3)
    points = transform_weights(weights, 4)
    assert points.shape == (6, 6, 5, 2)
    assert points.dtype == np.float32
    # The last point is at infinity, where a polynomial is its highest coefficient.
    np.testing.assert_array_equal(points[5, 5], weights[:, :, 2, 2].T)


def test_other_tiles() -> None:
    with pytest.raises(KeyError):
        transform(3, 3)


def direct(x: npt.NDArray[Any], weights: npt.NDArray[Any], outputs: int) -> npt.NDArray[Any]:
    """The convolution of tiles x channels x pixels, tap by tap."""
    found = np.zeros((x.shape[0], outputs, outputs), x.dtype)
    for channel, i, j in np.ndindex(*weights.shape):
        found += x[:, channel, i : i + outputs, j : j + outputs] * weights[channel, i, j]
    return found

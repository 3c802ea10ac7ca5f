"""Winograd's matrices give a direct convolution's results."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.winograd import PAIRS, TAPS, transform, transform_weights


@pytest.mark.parametrize("outputs", PAIRS)
@given(seed=st.integers(0, 1000))
def test_one_tile(outputs: int, seed: int) -> None:
    rng, matrices = np.random.default_rng(seed), transform(outputs)
    x = rng.standard_normal((matrices.points, matrices.points))
    weights = rng.standard_normal((TAPS, TAPS))
    points = transform_weights(weights.reshape(1, 1, TAPS * TAPS), outputs)[..., 0, 0]
    products = points * (matrices.inputs @ x @ matrices.inputs.T)
    found = matrices.results @ products @ matrices.results.T
    expected = [
        [np.sum(x[i : i + TAPS, j : j + TAPS] * weights) for j in range(outputs)]
        for i in range(outputs)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("outputs", PAIRS)
def test_points_are_exact_in_f32(outputs: int) -> None:
    """Otherwise what the points cancel would leave more than rounding errors."""
    matrices = transform(outputs)
    for matrix in (matrices.inputs, matrices.results):
        np.testing.assert_array_equal(matrix.astype(np.float32).astype(np.float64), matrix)


def test_weights_are_filters_last() -> None:
    weights = np.arange(2 * 5 * 9, dtype=np.float32).reshape(2, 5, 9)
    points = transform_weights(weights, 4)
    assert points.shape == (6, 6, 5, 2)
    assert points.dtype == np.float32
    # The last point is at infinity, where a polynomial is its highest coefficient.
    np.testing.assert_array_equal(points[5, 5], weights[:, :, 8].T)


def test_other_tiles() -> None:
    with pytest.raises(KeyError):
        transform(3)

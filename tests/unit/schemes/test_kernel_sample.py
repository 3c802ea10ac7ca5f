"""The corner of a layer's weights that reports draw."""

from __future__ import annotations

import numpy as np
import pytest

from niwaki.schemes.kernel_sample import CHANNELS, FILTERS, kernels, sample


@pytest.mark.parametrize("shape", [(20, 20, 9), (3, 5, 2), (1, 1, 27), (16, 16, 25)])
def test_round_trip(shape: tuple[int, int, int]) -> None:
    nonzero = np.random.default_rng(0).random(shape) < 0.4
    rows = [kernels(row, shape[2]) for row in sample(nonzero)]
    np.testing.assert_array_equal(np.array(rows), nonzero[:FILTERS, :CHANNELS])


def test_first_tap_is_the_highest_bit() -> None:
    nonzero = np.zeros((1, 2, 9), bool)
    nonzero[0, 0, 0] = nonzero[0, 1, 8] = True
    assert sample(nonzero) == ["100001"]


def test_nothing_to_see() -> None:
    assert sample(np.eye(4, dtype=bool)[:, :, None]) == []
    assert sample(np.ones((4, 4, 9), bool)) == []

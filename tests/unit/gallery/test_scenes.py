"""Pictures that programs draw."""

from __future__ import annotations

import numpy as np
import pytest
from gallery.scenes import landscape, noise
from gallery.strokes import painting


def test_landscapes_are_those_of_their_seeds() -> None:
    first = landscape(48, 71, seed=3)
    assert first.shape == (48, 71, 3)
    np.testing.assert_array_equal(first, landscape(48, 71, seed=3))
    assert (first != landscape(48, 71, seed=4)).mean() > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_meadow_is_green_below_a_sky_that_is_not(seed: int) -> None:
    red, green, blue = landscape(64, 64, seed)[-12:].reshape(-1, 3).mean(0)
    assert green > max(red, blue)
    _, green, blue = landscape(64, 64, seed)[:8].reshape(-1, 3).mean(0)
    assert blue > green


def test_noise_has_large_and_small_shapes() -> None:
    values = noise(64, 96, 32, np.random.default_rng(0))
    assert values.shape == (64, 96)
    assert (values.min(), values.max()) == (0, 1)
    near, far = (np.abs(values[:, step:] - values[:, :-step]).mean() for step in (1, 24))
    assert 0 < near < far / 3


def test_painting_is_always_the_same_and_of_many_colours() -> None:
    picture = painting(64)
    np.testing.assert_array_equal(picture, painting(64))
    assert len(np.unique((picture // 32).reshape(-1, 3), axis=0)) > 20

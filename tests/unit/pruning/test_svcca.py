"""SVCCA's maths, against CCA by other ways."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from niwaki.errors import NiwakiError
from niwaki.pruning.analysis import svcca
from niwaki.pruning.analysis.cca import directions

Doubles = npt.NDArray[np.float64]


def features(seed: int, samples: int, count: int) -> Doubles:
    """Correlated features of very different strengths."""
    random = np.random.default_rng(seed)
    mixed = random.standard_normal((samples, count)) @ random.standard_normal((count, count))
    return mixed * np.logspace(0, -3, count) + random.standard_normal(count)


def related(seed: int, samples: int, first: int, second: int) -> tuple[Doubles, Doubles]:
    """Features that share some of what they say."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((samples, first))
    y = x @ random.standard_normal((first, second)) + 2 * random.standard_normal((samples, second))
    return x, y


def correlations_of_covariances(x: Doubles, y: Doubles) -> Doubles:
    """Hotelling's: square roots of the eigenvalues of Sxx^-1 Sxy Syy^-1 Syx."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    left = np.linalg.solve(x.T @ x, x.T @ y)
    right = np.linalg.solve(y.T @ y, y.T @ x)
    values = np.linalg.eigvals(left @ right).real
    return np.sqrt(np.sort(values)[::-1][: min(x.shape[1], y.shape[1])].clip(0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 6))
def test_correlations_are_those_of_covariances(seed: int, first: int, second: int) -> None:
    x, y = related(seed, 60, first, second)
    found = svcca(x, y, variance=1)
    np.testing.assert_allclose(found.correlations, correlations_of_covariances(x, y), atol=1e-7)
    assert found.mean == pytest.approx(np.mean(found.correlations))
    assert (found.first, found.second) == (first, second)


def test_one_feature_each_is_pearson() -> None:
    x, y = related(3, 50, 1, 1)
    assert svcca(x, y).mean == pytest.approx(abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99))
def test_equal_features_give_one(seed: int) -> None:
    x = features(seed, 100, 8)
    for variance in (0.9, 0.99, 1):
        assert svcca(x, x, variance).mean == pytest.approx(1, abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99))
def test_invertible_maps_change_nothing_without_truncation(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = related(seed, 80, 6, 5)
    mixed = x @ random.standard_normal((6, 6)) + 7
    expected = svcca(x, y, variance=1).correlations
    np.testing.assert_allclose(svcca(mixed, y, variance=1).correlations, expected, atol=1e-8)
    assert svcca(x, mixed, variance=1).mean == pytest.approx(1, abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.sampled_from([0.5, 0.99, 1.0]))
def test_rotations_and_scale_change_nothing(seed: int, variance: float) -> None:
    random = np.random.default_rng(seed)
    x, y = features(seed, 90, 7), features(seed + 100, 90, 6)
    rotation, _ = np.linalg.qr(random.standard_normal((7, 7)))
    expected = svcca(x, y, variance)
    turned = svcca(-300 * x @ rotation - 2, y, variance)
    assert (turned.first, turned.second) == (expected.first, expected.second)
    np.testing.assert_allclose(turned.correlations, expected.correlations, atol=1e-8)


def test_noise_is_at_the_level_of_chance() -> None:
    """Mean squared correlation of unrelated subspaces: max(K1, K2) / (N - 1)."""
    squares, chances = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        found = svcca(random.standard_normal((41, 4)), random.standard_normal((41, 9)), 1)
        squares.append(np.mean(np.square(found.correlations)))
        chances.append(found.chance)
        assert found.mean is not None
        assert found.mean < 0.8
    assert set(chances) == {np.sqrt(9 / 40)}
    assert np.mean(squares) == pytest.approx(9 / 40, rel=0.08)


def test_more_directions_than_samples_are_no_likeness() -> None:
    random = np.random.default_rng(0)
    x, y = random.standard_normal((20, 15)), random.standard_normal((20, 30))
    found = svcca(x, y, 1)
    assert (found.first, found.second) == (15, 19)
    assert found.mean == pytest.approx(1)
    assert found.chance == 1


def test_directions_hold_the_variance() -> None:
    x = np.random.default_rng(0).standard_normal((200, 5)) * [100, 10, 1, 0.1, 0.01]
    centred = x - x.mean(axis=0)
    for variance, least in ((0.9, 1), (0.995, 2), (1.0, 5)):
        basis = directions(x, variance)
        assert basis.shape[1] == least
        held = np.square(basis.T @ centred).sum() / np.square(centred).sum()
        assert held >= variance - 1e-12
        np.testing.assert_allclose(basis.T @ basis, np.eye(least), atol=1e-12)


def test_dead_and_repeated_features_add_nothing() -> None:
    x, y = related(5, 100, 4, 4)
    constant = np.full((100, 3), 1e4)
    repeated = np.hstack([x, x[:, :2] @ [[1.0, 2], [3, 4]], constant])
    found = svcca(repeated, y, 1)
    assert found.first == 4
    np.testing.assert_allclose(found.correlations, svcca(x, y, 1).correlations, atol=1e-8)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_constants_have_no_directions(kind: type[np.floating[npt.NBitBase]]) -> None:
    """Centring leaves rounding errors of them, which are no features."""
    dead = np.full((1000, 4), 0.1, kind) * np.arange(1, 5, dtype=kind) ** 9
    found = svcca(dead, np.random.default_rng(0).standard_normal((1000, 3)))
    assert (found.mean, found.correlations, found.first, found.second) == (None, (), 0, 3)


def test_single_precision_is_enough() -> None:
    x, y = related(7, 500, 12, 9)
    exact = svcca(x, y)
    rounded = svcca((x + 50).astype(np.float32), y.astype(np.float32))
    assert (rounded.first, rounded.second) == (exact.first, exact.second)
    np.testing.assert_allclose(rounded.correlations, exact.correlations, atol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "variance", "message"),
    [
        (np.ones((4, 2)), np.ones((4, 2)), 0, "to keep is above 0 and at most 1, not 0"),
        (np.ones((4, 2)), np.ones((4, 2)), 1.5, "above 0 and at most 1, not 1.5"),
        (np.ones((4, 2)), np.ones(4), 0.9, "of 2 samples or more, not [4]"),
        (np.ones((1, 2)), np.ones((1, 2)), 0.9, "of 2 samples or more, not [1, 2]"),
        (np.ones((4, 2)), np.ones((5, 2)), 0.9, "of the same samples, and there are 4 and 5"),
        (np.full((4, 2), np.nan), np.ones((4, 2)), 0.9, "some are NaN or infinite"),
    ],
)  # fmt: skip
def test_wrong_input(x: Doubles, y: Doubles, variance: float, message: str) -> None:
    with pytest.raises(NiwakiError, match=re.escape(message)):
        svcca(x, y, variance)

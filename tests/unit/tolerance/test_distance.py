"""How far results are off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from niwaki.tolerance.distance import errors

NAN, INF = math.nan, math.inf


def call(*values: float) -> list[np.ndarray]:
    return [np.array(values, np.float32)]


def test_of_the_largest_value_of_all_calls() -> None:
    found, wanted = [call(1, 2), call(9, -40)], [call(1, 3), call(10, -40)]
    assert errors(found, wanted) == [1 / 40]


def test_each_output_by_itself() -> None:
    found = [[np.array([1.5]), np.array([100.0]), np.array([7])]]
    wanted = [[np.array([1.0]), np.array([101.0]), np.array([3])]]
    assert errors(found, wanted) == [0.5, 1 / 101, 0.0]  # classes are no distances


@pytest.mark.parametrize(
    ("found", "wanted", "error"),
    [
        (call(NAN, 1), call(NAN, 1), 0),
        (call(-INF, 1), call(-INF, 2), 0.5),
        (call(INF, 1), call(-INF, 1), INF),
        (call(INF, 1), call(5, 1), INF),
        (call(NAN, 1), call(5, 1), INF),
        (call(5, 1), call(NAN, 1), INF),
        (call(0, 0), call(0, 0), 0),
        (call(1, 0), call(0, 0), INF),
        (call(), call(), 0),
    ],
)
def test_what_is_not_finite(
    found: list[np.ndarray], wanted: list[np.ndarray], error: float
) -> None:
    assert errors([found], [wanted]) == [error]


def test_large_halves() -> None:
    """Differences of them are no longer halves."""
    found, wanted = ([np.array([sign * 60000], np.float16)] for sign in (1, -1))
    assert errors([found], [wanted]) == [2.0]

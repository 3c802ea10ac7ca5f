"""Which layers are kept wide, for errors that are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.tolerance.search import layers_to_keep

COSTS = st.lists(st.floats(0, 1) | st.just(math.inf), min_size=1, max_size=12)


def search(costs: list[float], tolerance: float) -> list[int]:
    """What is kept where errors add up."""

    def error(narrow: tuple[bool, ...]) -> float:
        return math.fsum(cost for cost, is_narrow in zip(costs, narrow, strict=True) if is_narrow)

    return list(layers_to_keep(len(costs), error, costs.__getitem__, tolerance))


@pytest.mark.parametrize(
    ("costs", "tolerance", "kept"),
    [
        ([0.1, 0.2, 0.3], 0.7, []),
        ([0.1, 0.2, 0.3], 0.35, [2]),
        ([0.1, 0.2, 0.3], 0.15, [2, 1]),
        ([0.1, 0.2, 0.3], 0.01, [2, 1, 0]),
        ([0.1, math.inf, 0.3], 0.5, [1]),
    ],
)
def test_what_costs_most_is_kept(costs: list[float], tolerance: float, kept: list[int]) -> None:
    assert search(costs, tolerance) == kept


@given(COSTS, st.floats(0.001, 2))
def test_no_fewer_would_do(costs: list[float], tolerance: float) -> None:
    kept = search(costs, tolerance)
    left = [cost for number, cost in enumerate(costs) if number not in kept]
    assert math.fsum(left) <= tolerance
    if kept:
        assert math.fsum([*left, costs[kept[-1]]]) > tolerance

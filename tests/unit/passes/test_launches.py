"""Grids with more workgroups along an axis than a device takes are launched in another form."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from niwaki.passes.kernels.indices import Index
from niwaki.passes.launches import launched


@pytest.mark.parametrize("most", [4, 5, 7, 100])
@pytest.mark.parametrize(
    "grid", [(1, 1, 1), (7, 1, 1), (1, 9, 1), (3, 1, 8), (9, 6, 1), (1, 7, 8), (6, 5, 2), (3, 7, 3)]
)
def test_each_place_is_taken_once(grid: tuple[int, int, int], most: int) -> None:
    launch = launched(grid, most)
    assert max(launch.workgroups) <= most
    taken: Counter[tuple[int, ...]] = Counter()
    for asked in itertools.product(*map(range, launch.workgroups)):
        numbers, number = launch.place([Index(one) for one in asked])
        if number is None or number.value < launch.total:
            taken[tuple(one.value for one in numbers)] += 1
    assert taken == Counter(itertools.product(*map(range, grid)))


@pytest.mark.parametrize("most", [0, 65535])
def test_grids_that_every_device_takes_stay(most: int) -> None:
    assert launched((65535, 3, 2), most).workgroups == (65535, 3, 2)


def test_without_a_limit_nothing_is_cut() -> None:
    assert launched((140_000, 3, 2), 0).workgroups == (140_000, 3, 2)

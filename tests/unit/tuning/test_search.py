"""The search measures what seems worth it, no more than it may, and finds what is fast."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki import dialects
from niwaki.dialects import DepthwiseAttr, GatherGemmAttr
from niwaki.passes.choice import Candidate
from niwaki.schemes import Dense, Unstructured
from niwaki.tuning.search import WORTH_MEASURING, search


class Landscape:
    """Candidates whose estimates are wrong, and what was asked of them."""

    def __init__(self) -> None:
        self.found: list[Candidate] = []
        self.times: list[float] = []
        self.asked: list[int] = []
        sizes = (1, 2, 4, 8)
        with dialects.context():
            for tile in itertools.product(sizes, sizes, sizes, sizes):
                self.add(GatherGemmAttr.of(*tile), [1.0, 1.5][tile[0] % 2], math.prod(tile))
            for pair in itertools.product(sizes, sizes):
                self.add(DepthwiseAttr.of(*pair), 1.2, 1000 + sum(pair))

    def add(self, kernel: GatherGemmAttr | DepthwiseAttr, estimate: float, product: int) -> None:
        scheme = Dense() if product % 2 else Unstructured()
        self.found.append(Candidate(scheme, kernel, estimate))
        # Valleys: the fastest kernels have a product of 64.
        self.times.append(1 + abs(math.log2(product / 64)))

    def measure(self, numbers: Sequence[int]) -> dict[int, float]:
        assert not set(numbers) & set(self.asked)
        self.asked += numbers
        return {number: self.times[number] for number in numbers}


def test_few_candidates_are_all_measured() -> None:
    land = Landscape()
    some = land.found[:20]
    assert search(some, land.measure, 20) == dict(enumerate(land.times[:20]))


def test_slow_ones_are_left_out() -> None:
    land = Landscape()
    some = [Candidate(one.scheme, one.kernel, 1.0 + i) for i, one in enumerate(land.found[:9])]
    assert sorted(search(some, land.measure, 20)) == [0, 1]
    assert WORTH_MEASURING == 2


@given(trials=st.integers(1, 60))
def test_no_more_than_it_may(trials: int) -> None:
    land = Landscape()
    times = search(land.found, land.measure, trials)
    assert len(times) == trials == len(land.asked)
    assert times == {number: land.times[number] for number in land.asked}


def test_starts_with_the_shortest_estimate() -> None:
    land = Landscape()
    search(land.found, land.measure, 30)
    assert land.found[land.asked[0]].seconds == 1


def test_same_times_give_the_same_search() -> None:
    first, second = Landscape(), Landscape()
    search(first.found, first.measure, 40)
    search(second.found, second.measure, 40)
    assert first.asked == second.asked


def test_finds_what_estimates_do_not_tell() -> None:
    land = Landscape()
    assert min(search(land.found, land.measure, 80).values()) == min(land.times)


@pytest.mark.parametrize("trials", [5, 40])
def test_kernels_that_fail(trials: int) -> None:
    land = Landscape()
    land.times = [math.inf] * len(land.times)
    assert set(search(land.found, land.measure, trials).values()) == {math.inf}

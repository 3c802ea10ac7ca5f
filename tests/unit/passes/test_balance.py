"""Workgroups of about equal work, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.passes.balance import UNEVEN, Ints, balanced

works = st.lists(st.integers(0, 1000), min_size=1, max_size=60)


def sums(work: Ints, group: int) -> Ints:
    return np.add.reduceat(work, np.arange(0, len(work), group))


def order_of(work: list[int], group: int, low: int = 0) -> tuple[Ints, Ints]:
    """The order, and the work of its groups; the last `low` blocks have fewer filters."""
    heights = np.where(np.arange(len(work)) < len(work) - low, 8, 3).astype(np.int32)
    given = np.array(work, np.int32)
    order = balanced(given, heights, group)
    assert sorted(order.tolist()) == [*range(len(work))]
    assert np.array_equal(heights[order], heights)
    assert np.array_equal(order, balanced(given, heights, group))
    return order, sums(given[order], group)


@given(works, st.integers(1, 10), st.integers(0, 20))
def test_each_block_once_and_high_ones_first(work: list[int], group: int, low: int) -> None:
    order_of(work, group, min(low, len(work) - 1))


@given(st.integers(1, 10), st.integers(1, 8), st.data())
def test_groups_differ_by_less_than_a_block(group: int, groups: int, data: st.DataObject) -> None:
    count = group * groups
    work = data.draw(st.lists(st.integers(0, 1000), min_size=count, max_size=count))
    _, found = order_of(work, group)
    assert found.max() - found.min() <= max(work) or found.max() <= UNEVEN * np.mean(work) * group


@given(st.integers(1, 1000), st.integers(1, 60), st.integers(1, 10), st.integers(0, 20))
def test_equal_blocks_stay(work: int, count: int, group: int, low: int) -> None:
    """Fewer at the end make no difference."""
    order, _ = order_of([work] * count, group, min(low, count - 1))
    assert order.tolist() == [*range(count)]


@pytest.mark.parametrize(
    ("work", "group", "order"),
    [
        ([90, 60, 20, 30, 10, 10], 2, [0, 5, 1, 4, 2, 3]),
        ([1, 2, 3, 4], 1, [3, 2, 1, 0]),
        ([1, 2, 3, 4], 4, [0, 1, 2, 3]),
        ([100, 101, 99, 100], 2, [0, 1, 2, 3]),
        ([0, 0, 0], 2, [0, 1, 2]),
    ],
)
def test_examples(work: list[int], group: int, order: list[int]) -> None:
    assert order_of(work, group)[0].tolist() == order

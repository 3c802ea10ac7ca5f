"""Taps in loops are all taps, each once and in its place, and few are written out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from niwaki.passes.kernels.window import MOST_TAPS, Taps, window_taps


def visited(part: Taps) -> Iterator[tuple[int, int]]:
    """Number and distance of each tap, in the order of the loops."""
    for numbers in itertools.product(*(range(repeat.count) for repeat in part.repeats)):
        steps = list(zip(numbers, part.repeats, strict=True))
        first = part.first + sum(number * repeat.taps for number, repeat in steps)
        moved = sum(number * repeat.distance for number, repeat in steps)
        for tap, distance in enumerate(part.distances):
            yield first + tap, moved + distance


@given(
    size=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    dilations=st.tuples(*[st.integers(1, 3)] * 3),
    pitch=st.integers(40, 99),
    most=st.sampled_from([4, 16, MOST_TAPS]),
)
def test_loops_visit_all_taps(
    size: list[int], dilations: tuple[int, ...], pitch: int, most: int
) -> None:
    steps = [dilation * pitch**axis for axis, dilation in enumerate(dilations[: len(size)])][::-1]
    taps = itertools.product(*map(range, size))
    distances = [sum(i * step for i, step in zip(tap, steps, strict=True)) - 7 for tap in taps]
    parts = window_taps(distances, most)
    assert sorted(each for part in parts for each in visited(part)) == [*enumerate(distances)]
    written_out = sum(len(part.distances) for part in parts)
    assert written_out <= MOST_TAPS if len(distances) <= MOST_TAPS else written_out < 3 * most


def test_what_is_irregular_is_written_out() -> None:
    distances = [number**2 for number in range(100)]
    assert window_taps(distances) == [Taps(0, tuple(distances))]

"""Dimensions: what is none is refused by name, and values are where they should be."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Integer, Real
from niwaki.studies.space import TOLD, check_space, short, spelled, told


@pytest.mark.parametrize(
    ("dimension", "fault"),
    [
        (Choice(), "Choice(), has no values"),
        (Choice((1, 2)), "has a value of type tuple: name it by a text or a number"),  # type: ignore[arg-type]
        (Choice(1.0, math.nan), "has the value nan, which is not finite"),
        (Choice(1, True), "has equal values"),
        (Integer(1, 2.5), "has bounds or a step that are no whole numbers: take Real"),  # type: ignore[arg-type]
        (Integer(False, 3), "has bounds or a step that are no whole numbers: take Real"),
        (Integer(3, 1), "Integer(3, 1, step=1), is empty: its low is above its high"),
        (Integer(1, 3, 0), "has a step below 1"),
        (Integer(1, 4, 2), "does not come to its high in steps"),
        (Real("1", 2), "has bounds that are no numbers"),  # type: ignore[arg-type]
        (Real(0, math.inf), "has a bound beyond 1e+100"),
        (Real(math.nan, 1), "has a bound beyond 1e+100"),
        (Real(0, 10**400), "has a bound beyond 1e+100"),
        (Integer(0, 2**53 + 1), "has a bound beyond 2^53: take Real"),
        (Choice(1, 10**400), "has a whole number beyond 2^53: name it by a text"),
        (Real(2, 2), "is empty: its low is not below its high"),
        (Real(0, 2, log=True), "is logarithmic: its low must be above 0"),
    ],
)
def test_bad_dimension(dimension: Any, fault: str) -> None:
    with pytest.raises(NiwakiError, match=f"^dimension 'width', .*{re.escape(fault)}$"):
        check_space({"depth": Choice(1, 2), "width": dimension})


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({}, "the space is empty: give it a dimension, as {'width': Choice(16, 32)}"),
        ([Choice(1)], "a space is a dict of dimensions by name, not list"),
        ({3: Choice(1)}, "a dimension is called 3: its name must be a text"),
        ({"": Choice(1)}, "a dimension is called '': its name must be a text"),
        ({"a": [1, 2]}, "dimension 'a' is list: give Choice, Integer or Real"),
    ],
)
def test_bad_space(space: Any, told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        check_space(space)


def test_good_space() -> None:
    numbers = {"n": Integer(2, 2), "m": Integer(-4, 4, step=2), "r": Real(1, 8, log=True)}
    check_space({"c": Choice(None, False, 2, 0.5, "x"), **numbers})


@given(
    low=st.integers(-50, 50),
    steps=st.integers(0, 40),
    step=st.integers(1, 9),
    most=st.integers(2, 20),
)
def test_ladder_of_an_integer(low: int, steps: int, step: int, most: int) -> None:
    rungs = Integer(low, low + steps * step, step).ladder(most)
    assert len(rungs) == len(set(rungs)) == min(steps + 1, most)
    assert (rungs[0], rungs[-1]) == (low, low + steps * step)
    assert all((rung - low) % step == 0 for rung in rungs if isinstance(rung, int))


def test_ladder_of_a_real() -> None:
    assert Real(0, 4).ladder(5) == [0, 1, 2, 3, 4]
    assert Real(1, 16, log=True).ladder(5) == pytest.approx([1, 2, 4, 8, 16])


def test_ladder_of_a_choice() -> None:
    assert Choice(3, 1, 2).ladder(2) == [3, 1, 2]


def test_points_as_text() -> None:
    assert spelled({"a": 1, "b": 0.123456, "c": "x", "d": None}) == "a=1 b=0.1235 c=x d=None"
    assert short(12345678.0) == "1.235e+07"
    assert len(told({f"layer{i}": i for i in range(100)})) == TOLD

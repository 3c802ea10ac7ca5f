"""Costs are finite numbers, and what is above a limit is led within, or told to be out of reach."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_functions import number

from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Integer, Limit, Point, Real
from niwaki.studies.limits import Limits
from niwaki.studies.reach import led, within_limits
from niwaki.studies.space import Dimension


def limits(*given: Any) -> Limits:
    made = Limits(given)
    made.check()
    return made


def raises(point: Point) -> float:
    raise KeyError("conv1")


def refuses(point: Point) -> float:
    raise NiwakiError("target x has no costs")


def text(point: Point) -> Any:
    return "5 ms"


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (lambda point: math.nan, "the cost of 'ms' is nan at a=1: give a finite number"),
        (
            lambda point: {"x": 1, "y": math.inf},
            "the cost of 'ms' is inf at a=1: give a finite number",
        ),
        (raises, "the cost of 'ms' failed at a=1: KeyError: 'conv1'"),
        (
            text,
            "the cost of 'ms' failed at a=1: ValueError: could not convert string to float: '5 ms'",
        ),
        (refuses, "target x has no costs"),
    ],
)
def test_bad_cost(cost: Callable[[Point], float], told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        limits(Limit("ms", 1, cost)).costs({"a": 1})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([5], "limits are Limit(name, most, cost), not int"),
        (
            [Limit("a", 1, text), Limit("a", 2, text)],
            "two limits are called 'a': give each its own name",
        ),
        ([Limit("a", 0, text)], "limit 'a' is 0: give a number above 0, or None"),
        ([Limit("a", math.nan, text)], "limit 'a' is nan: give a number above 0, or None"),
        ([Limit("a", "5", text)], "limit 'a' is '5': give a number above 0, or None"),  # type: ignore[arg-type]
    ],
)
def test_bad_limits(given: list[Any], told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        limits(*given)


def test_costs_of_parts_are_added_up() -> None:
    made = limits(Limit("ms", 5, lambda p: {"x": 1, "y": 2.5}), Limit("kB", None, lambda p: 7))
    costs = made.costs({})
    assert costs == {"ms": 3.5, "kB": 7}
    assert made.excess(costs) == pytest.approx([-0.3])
    assert made.allow(costs)
    assert not made.allow({"ms": 5.1, "kB": 7})


SPACE = {f"rate{i}": Choice(1, 2, 4, 8) for i in range(20)} | {
    f"scheme{i}": Choice("dense", "block") for i in range(20)
}


def work(point: Point) -> float:
    """A rate counts only with a scheme."""
    return sum(
        1 / number(point, f"rate{i}") if point[f"scheme{i}"] == "block" else 1.0 for i in range(20)
    )


def dense() -> Point:
    return {name: dimension.ladder(2)[0] for name, dimension in SPACE.items()}


@given(seed=st.integers(0, 1000), most=st.floats(2.5, 19))
def test_led_just_within(seed: int, most: float) -> None:
    """As little as needed: with one step less it is above the limit."""
    made = limits(Limit("ms", most, work))
    start = dense()
    anchor = within_limits(SPACE, made, start)
    point = led(made, start, anchor, random.Random(seed))
    assert work(anchor) <= most
    assert most - 1 < work(point) <= most


def test_unreachable_names_the_part() -> None:
    def cost(point: Point) -> dict[str, float]:
        return {"stem": 3.0, **{f"layer{i}": 1 / number(point, f"rate{i}") for i in range(20)}}

    told = "no point is within the limit 'ms' of 5: the least found is 5.5, at rate0=8 "
    with pytest.raises(NiwakiError, match=f"^{told}.*; of it 'stem' costs most, 3$"):
        within_limits(SPACE, limits(Limit("ms", 5, cost)), dense())


def test_unreachable_names_the_dimension() -> None:
    space: dict[str, Dimension] = {"width": Integer(2, 100), "depth": Real(1, 2)}

    def cost(point: Point) -> float:
        return 3 * number(point, "width") + number(point, "depth")

    told = (
        "no point is within the limit 'ms' of 6.5: the least found is 7, at width=2 depth=1; "
        "'width' matters most, up to 301"
    )
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        within_limits(space, limits(Limit("ms", 6.5, cost)), {"width": 50, "depth": 1.5})


def test_two_limits_that_exclude_each_other() -> None:
    space = {"share": Integer(1, 9)}
    left = Limit("left", 4, lambda point: number(point, "share"))
    right = Limit("right", 4, lambda point: 10 - number(point, "share"))
    with pytest.raises(NiwakiError, match=r"^no point is within the limit '(left|right)' of 4: "):
        within_limits(space, limits(left, right), {"share": 5})

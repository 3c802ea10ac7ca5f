"""The controller learns what is good, and better than chance finds it."""

from __future__ import annotations

import numpy as np
import pytest
from search_functions import number

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Controller, Integer, Limit, Point, Real
from niwaki.studies.controller import Policy, nearest

SPACE = {f"layer{i}": Choice("a", "b", "c", "d", "e") for i in range(8)}
BEST = "abcdeabc"


def right(point: Point) -> float:
    """How many layers are as they should be."""
    return float(sum(value == wanted for value, wanted in zip(point.values(), BEST, strict=True)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_better_than_chance(seed: int) -> None:
    learned = niwaki.search(SPACE, None, right, trials=250, sampler="controller", seed=seed)
    drawn = niwaki.search(SPACE, None, right, trials=250, sampler="random", seed=seed)
    late = [trial.objective for trial in learned.trials[-50:]]
    assert np.mean(late) > 6 > np.mean([trial.objective for trial in drawn.trials]) + 4
    assert learned.best.objective > drawn.best.objective


def test_keeps_limits() -> None:
    """What is above a limit teaches it, too."""
    space = {f"width{i}": Integer(1, 16) for i in range(12)}

    def total(point: Point) -> float:
        return sum(number(point, name) for name in space)

    found = niwaki.search(
        space, None, total, [Limit("ms", 60, total)], trials=150, sampler="controller"
    )
    assert found.best.objective == 60
    assert np.mean([trial.objective for trial in found.trials[75:]]) > 50


def test_what_did_better_is_likelier() -> None:
    policy = Policy(Controller(rate=1.0, entropy=0.0), {"a": 3})
    for place, reward in ((0, 1.0), (1, 2.0), (2, 4.0), (2, 4.0)):
        policy.learn({"a": place}, reward)
    shares = policy.shares("a")
    assert shares[2] > shares[1] > 0
    assert shares.sum() == pytest.approx(1)


def test_entropy_keeps_it_undecided() -> None:
    shares = []
    for entropy in (0.0, 3.0):
        policy, generator = Policy(Controller(entropy=entropy), {"a": 2}), np.random.default_rng(0)
        for _ in range(300):
            place = int(generator.choice(2, p=policy.shares("a")))
            policy.learn({"a": place}, float(place))
        shares.append(policy.shares("a")[1])
    assert shares[0] > 0.99 > shares[1] > 0.5


def test_equal_rewards_teach_nothing() -> None:
    policy = Policy(Controller(entropy=0.0), {"a": 4})
    for _ in range(20):
        policy.learn({"a": 1}, 7.0)
    assert policy.shares("a").tolist() == [0.25] * 4


def test_nearest() -> None:
    assert nearest([1, 4, 8], 6.5) == 2
    assert nearest(["x", "y"], "y") == 1


def test_numbers_are_on_the_ladder() -> None:
    space = {"rate": Real(1, 16, log=True)}
    found = niwaki.search(
        space, None, lambda p: number(p, "rate"), trials=20, sampler=Controller(rungs=5)
    )
    assert {round(number(trial.point, "rate")) for trial in found.trials} <= {1, 2, 4, 8, 16}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Controller(rate=0), "a controller's rate is above 0, and its entropy not below"),
        (Controller(entropy=-1), "a controller's rate is above 0, and its entropy not below"),
        (Controller(memory=1), "a controller's memory is from 0 to below 1, not 1"),
        (Controller(rungs=1), "a controller needs at least 2 rungs, not 1"),
    ],
)
def test_bad_settings(settings: Controller, told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        niwaki.search(SPACE, None, right, sampler=settings)

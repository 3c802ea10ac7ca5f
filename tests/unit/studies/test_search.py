"""What a search tries, what it leaves out, and what it says it has found."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from search_functions import SPACE, limit, milliseconds, number, score

import niwaki
from niwaki.errors import NiwakiError
from niwaki.progress import Progress
from niwaki.studies import Choice, Integer, Limit, Point, Results, Trial
from niwaki.studies.results import hypervolume


def searched(evaluate: Callable[[Point], Any] = score, trials: int = 12, **others: Any) -> Results:
    return niwaki.search(SPACE, None, evaluate, trials=trials, **others)


def test_without_limits() -> None:
    found = searched(trials=40)
    assert len(found.trials) == 40
    assert (found.rejected, found.limits, found.cost) == (0, {}, None)
    assert found.best.objective == max(trial.objective for trial in found.trials)
    assert found.front == [found.best]
    assert list(found.best.point) == list(SPACE)


def test_points_above_a_limit_are_never_tried() -> None:
    tried: list[float] = []

    def evaluate(point: Point) -> float:
        tried.append(milliseconds(point))
        return score(point)

    found = searched(evaluate, 30, limits=[limit(2)], sampler="random")
    assert max(tried) <= 2
    assert found.rejected > 10
    assert len(found.trials) == 30


def test_hardly_any_point_is_within() -> None:
    """One of 4^40 is."""
    space = {f"rate{i}": Choice(1, 2, 4, 8) for i in range(40)}

    def cost(point: Point) -> float:
        return sum(1 / number(point, name) for name in space)

    found = niwaki.search(space, None, cost, [Limit("ms", 5, cost)], trials=3, sampler="random")
    assert [trial.objective for trial in found.trials] == [5, 5, 5]


def test_two_limits() -> None:
    rates = Limit("rate", 1.5, lambda point: number(point, "rate"))
    found = searched(trials=20, limits=[limit(6), rates])
    assert all(trial.costs["ms"] <= 6 and trial.costs["rate"] <= 1.5 for trial in found.trials)
    assert list(found.best.costs) == ["ms", "rate"]


def test_known_points_are_not_tried_again() -> None:
    tried = []

    def evaluate(point: Point) -> float:
        tried.append(tuple(point.values()))
        return number(point, "n")

    found = niwaki.search({"n": Integer(1, 3)}, None, evaluate, trials=20)
    assert len(found.trials) == 20
    assert len(tried) == len(set(tried)) == 3
    assert found.best.point == {"n": 3}


def test_failures_are_kept_and_others_go_on() -> None:
    def evaluate(point: Point) -> float:
        if point["kind"] == "a":
            raise ValueError("no weights\nleft")
        return float("nan") if point["width"] == 8 else score(point)

    found = searched(evaluate, 30, sampler="random")
    assert len(found.done) + len(found.failed) == 30
    reasons = {trial.reason for trial in found.failed}
    assert "evaluate gave score = nan" in reasons
    (raised,) = reasons - {"evaluate gave score = nan"}
    assert re.fullmatch(r"evaluate raised ValueError: no weights \(test_search\.py:\d+\)", raised)


def test_nothing_succeeds() -> None:
    found = searched(lambda point: {}, 3)
    assert found.front == []
    told = r"^none of 3 trials has a result: the first says: evaluate gave a dict: return a number"
    with pytest.raises(NiwakiError, match=told):
        _ = found.best


@pytest.mark.parametrize("given", [None, "text", [1.0, 2.0], {"accuracy": None}, 10**400])
def test_no_score(given: Any) -> None:
    (trial,) = searched(lambda point: given, 1).trials
    assert re.fullmatch(r"evaluate gave .+: return a number, or a dict of numbers", trial.reason)


def test_functions_that_exit() -> None:
    """As scripts do: an exit ends its trial, and not the search."""

    def evaluate(point: Point) -> float:
        if point["kind"] == "a":
            sys.exit(3)
        return score(point)

    found = searched(evaluate, 12, sampler="random")
    assert found.done
    assert {trial.reason.split(" (")[0] for trial in found.failed} == {
        "evaluate raised SystemExit: 3"
    }

    def cost(point: Point) -> float:
        sys.exit(3)

    with pytest.raises(NiwakiError, match=r"^the cost of 'ms' failed at .*: SystemExit: 3$"):
        searched(limits=[Limit("ms", 5, cost)])


def test_points_stay_as_they_are() -> None:
    """Whatever functions do to what they get."""

    def cost(point: Point) -> float:
        point["width"] = 99
        return 1.0

    def evaluate(point: Point) -> float:
        point.clear()
        return 1.0

    found = searched(evaluate, 5, limits=[Limit("ms", 5, cost)])
    assert all(list(trial.point) == list(SPACE) for trial in found.trials)
    assert all(number(trial.point, "width") < 99 for trial in found.trials)


def test_largest_seed() -> None:
    assert len(searched(trials=2, seed=2**40).trials) == 2


def test_other_scores_than_before() -> None:
    names = iter(["accuracy", "loss"])
    told = (
        "evaluate gave loss where the study has accuracy: give the same scores each time, or begin "
        "another study"
    )
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        searched(lambda point: {next(names): 1.0}, 2)


@pytest.mark.parametrize(("name", "scored"), [("score", 1.0), ("ms", {"accuracy": 1.0, "ms": 2.0})])
def test_scores_and_limits_of_one_name(name: str, scored: float | dict[str, float]) -> None:
    told = f"evaluate gave a score and a limit has the same name, '{name}': call one of them other"
    with pytest.raises(NiwakiError, match=f"^{told}"):
        searched(lambda point: scored, 2, limits=[Limit(name, 5, lambda point: 1.0)])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"trials": 0}, "trials is a whole number from 1 on, not 0"),
        ({"trials": "3"}, "trials is a whole number from 1 on, not '3'"),
        ({"seed": -1}, "seed is a whole number from 0 on, not -1"),
        ({"seed": None}, "seed is a whole number from 0 on, not None"),
        ({"storage": 5}, "storage is the path of a file, not 5"),
        ({"storage": ""}, "storage is the path of a file, not empty"),
        ({"page": 5}, "page is the path of a file, not 5"),
        ({"progress": 5}, "progress is a Progress, not 5"),
        ({"describe": 5}, "describe is a function of a point that returns layers, not 5"),
        ({"limits": None}, "limits are a list, as [Limit('ms', 5.0, milliseconds)]"),
        ({"limits": iter([limit(5)])}, "limits are a list, as"),
        ({"limits": [5]}, "limits are Limit(name, most, cost), not int"),
        ({"limits": [Limit("", 5, score)]}, "a limit is called '': its name must be a text"),
        (
            {"limits": [Limit("ms", 5, 5.0)]},  # type: ignore[arg-type]
            "limit 'ms' needs a function of a point as its cost",
        ),
        ({"limits": [limit(True)]}, "limit 'ms' is True: give a number above 0, or None"),
        ({"workers": True}, "workers are a number from 1, auto or ray://HOST:PORT, not True"),
        (
            {"limits": limit(5)},
            "limits are a list, as [Limit('ms', 5.0, milliseconds)]",
        ),
        ({"evaluate": 5}, "evaluate is no function: give one that takes what train returns"),
        ({"workers": 0}, "workers are a number from 1, auto or ray://HOST:PORT, not 0"),
        ({"workers": "many"}, "workers are a number from 1, auto or ray://HOST:PORT, not 'many'"),
        (
            {"limits": [limit(0.5)]},
            "no point is within the limit 'ms' of 0.5: the least found is 1",
        ),
    ],
)
def test_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}"):
        searched(**options)


def test_train_is_no_function() -> None:
    told = "train is no function: give one that takes a point, or None"
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        niwaki.search(SPACE, "train.py", score)  # type: ignore[arg-type]


def test_refused_before_a_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    for options in ({"sampler": "none"}, {"workers": 0}, {"workers": "ray://nowhere.invalid"}):
        with pytest.raises(NiwakiError):
            searched(storage=path, **options)
    assert list(tmp_path.iterdir()) == []


def test_ray_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    told = re.escape("workers on other machines need Ray: pip install 'niwaki[ray]'")
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        searched(workers="ray://head:10001")


def test_progress() -> None:
    heard: list[object] = []

    class Heard(Progress):
        def begin(self, stages: int) -> None:
            heard.append(stages)

        def stage(self, name: str) -> None:
            heard.append(name)

    searched(trials=2, progress=Heard())
    assert heard == [2, "trial 0 of 2", "trial 1 of 2", "trial 2 of 2"]


def trial(number: int, objective: float, cost: float, allowed: bool = True) -> Trial:
    return Trial(number, {"n": number}, {"ms": cost}, {"score": objective}, "", 0.0, allowed)


TRIALS = (
    trial(0, 0.9, 5.0),
    trial(1, 0.7, 2.0),
    trial(2, 0.7, 3.0),
    trial(3, 0.6, 2.5),
    trial(4, 0.9, 4.0),
    trial(5, 0.95, 9.0, allowed=False),
)


def test_front_and_best() -> None:
    results = Results(TRIALS, 3, {"ms": 6.0})
    assert [one.number for one in results.front] == [1, 4, 5]
    assert results.best.number == 4
    shown = results.as_dict()
    assert shown["best"]["number"] == 4
    assert [one["number"] for one in shown["front"]] == [1, 4, 5]
    assert (shown["trials"], shown["rejected"], shown["limits"]) == (6, 3, {"ms": 6.0})


def test_no_trial_within_a_new_limit() -> None:
    told = "^none of 1 trials is within the limits: ask for more trials$"
    with pytest.raises(NiwakiError, match=told):
        _ = Results(TRIALS[5:], 0, {"ms": 6.0}).best


def test_hypervolume() -> None:
    assert hypervolume(TRIALS[:5], "ms", (0.5, 6.0)) == pytest.approx(0.2 * 4 + 0.2 * 2)
    assert hypervolume(TRIALS, "ms", (0.95, 6.0)) == 0

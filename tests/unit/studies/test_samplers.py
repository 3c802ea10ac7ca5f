"""Samplers by name, and those that cannot be had."""

from __future__ import annotations

import re
import sys

import optuna
import pytest
from search_functions import SPACE, limit, score

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import over_limits
from niwaki.studies.limits import Limits
from niwaki.studies.samplers import NEED, make_sampler


@pytest.mark.parametrize(
    ("sampler", "most"),
    [
        *((name, 6.0) for name in ("tpe", "evolution", "random", "controller")),
        *((name, None) for name in ("tpe", "evolution", "random")),
    ],
)
def test_finds_good_points(sampler: str, most: float | None) -> None:
    found = niwaki.search(SPACE, None, score, [limit(most)], trials=60, sampler=sampler)
    assert len(found.trials) == 60
    assert found.best.objective > (5 if most else 13)
    assert all(most is None or trial.costs["ms"] <= most for trial in found.trials)


@pytest.mark.parametrize("sampler", ["tpe", "evolution", "random", "controller"])
def test_seeds(sampler: str) -> None:
    def points(seed: int) -> list[object]:
        found = niwaki.search(SPACE, None, score, [limit(6)], trials=15, sampler=sampler, seed=seed)
        return [trial.point for trial in found.trials]

    assert points(1) == points(1) != points(2)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_sampler_of_optuna() -> None:
    sampler = optuna.samplers.TPESampler(seed=3, constraints_func=over_limits)
    found = niwaki.search(SPACE, None, score, [limit(6)], trials=30, sampler=sampler)
    assert found.best.objective > 5


def test_unknown_sampler() -> None:
    told = (
        "no sampler 'annealing': there are tpe, evolution, random, controller, gp, cmaes, and "
        "those of Optuna as objects"
    )
    with pytest.raises(NiwakiError, match=f"^{re.escape(told)}$"):
        niwaki.search(SPACE, None, score, sampler="annealing")


@pytest.mark.parametrize("name", ["controller", "cmaes"])
def test_one_goal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEED, name, {})
    told = f"sampler '{name}' has one goal: give limit 'ms' a number, or take another sampler"
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        niwaki.search(SPACE, None, score, [limit(None)], sampler=name)


@pytest.mark.parametrize(("name", "module"), [("gp", "scipy"), ("cmaes", "cmaes")])
def test_missing_packages(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("niwaki.studies.samplers.find_spec", lambda asked: asked != module or None)
    with pytest.raises(
        NiwakiError, match=f"^sampler '{name}' needs {module}: pip install {module}$"
    ):
        make_sampler(name, SPACE, Limits(), 0)


def test_optuna_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    told = re.escape("a search needs Optuna: pip install 'niwaki[tune]'")
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        niwaki.search(SPACE, None, score)

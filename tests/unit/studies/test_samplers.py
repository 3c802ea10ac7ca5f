"""Samplers by name, and those that cannot be had."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import optuna
import pytest
from optuna_files import optunas_study
from search_functions import SPACE, limit, number, score

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Limit, Point, over_limits
from niwaki.studies.limits import Limits
from niwaki.studies.samplers import NEED, check_sampler


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


def test_led_points_join_their_generation(tmp_path: Path) -> None:
    """Also where each point is led within the limit: evolution goes on from them."""
    space = {f"rate{i}": Choice(1, 2, 4, 8) for i in range(20)}

    def cost(point: Point) -> float:
        return sum(1 / number(point, name) for name in space)

    path = tmp_path / "study.sqlite"
    tight = Limit("ms", 3, cost)
    niwaki.search(space, None, cost, [tight], trials=50, sampler="evolution", storage=path)
    with optunas_study(path) as study:
        notes = [trial.system_attrs for trial in study.trials]
    generations = {note.get("NSGAIISampler:generation") for note in notes}
    assert {0, 1, 2} <= generations


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
        check_sampler(name, Limits())


def test_optuna_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    told = re.escape("a search needs Optuna: pip install 'niwaki[tune]'")
    with pytest.raises(NiwakiError, match=f"^{told}$"):
        niwaki.search(SPACE, None, score)

"""Who says which point is tried next: Optuna's samplers, and a controller of our own."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError

from .controller import Controller
from .limits import Limits
from .space import Space

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

CONTROLLER = "controller"
NAMES = ("tpe", "evolution", "random", CONTROLLER, "gp", "cmaes")
# Samplers whose packages Optuna does not bring: module -> what to install.
NEED = {"gp": {"torch": "torch", "scipy": "scipy"}, "cmaes": {"cmaes": "cmaes"}}
ONE_GOAL = ("cmaes", CONTROLLER)
# With 50, Optuna's own number, evolution would begin when most studies are over.
POPULATION = 20


def over_limits(trial: FrozenTrial) -> list[float]:
    """By how much a trial is above each limit: the `constraints_func` of Optuna's samplers."""
    return list(trial.user_attrs.get("excess", ()))


def check_sampler(sampler: Any, limits: Limits) -> None:
    """Refuse a sampler before a study begins.

    Raises:
        NiwakiError: there is no such one, its packages are missing, or it cannot look for a front.
    """
    from optuna.samplers import BaseSampler

    if isinstance(sampler, BaseSampler):
        return
    name = sampler
    if isinstance(sampler, Controller):
        sampler.check()
        name = CONTROLLER
    if name not in NAMES:
        raise NiwakiError(
            f"no sampler {name!r}: there are {', '.join(NAMES)}, and those of Optuna as objects"
        )
    for module, package in NEED.get(name, {}).items():
        if find_spec(module) is None:
            raise NiwakiError(f"sampler '{name}' needs {module}: pip install {package}")
    if name in ONE_GOAL and limits.first is not None and limits.two_goals:
        raise NiwakiError(
            f"sampler '{name}' has one goal: give limit '{limits.first.name}' a number, or take "
            "another sampler"
        )


def make_sampler(sampler: Any, space: Space, limits: Limits, seed: int) -> BaseSampler:
    """The sampler that a user names or gives, and that can be had."""
    if sampler == CONTROLLER:
        sampler = Controller()
    if isinstance(sampler, Controller):
        from .controller_sampler import ControllerSampler

        return ControllerSampler(sampler, space, seed)
    if not isinstance(sampler, str):
        return sampler
    return _optunas(sampler, any(limit.most is not None for limit in limits.limits), seed)


def _optunas(name: str, limited: bool, seed: int) -> BaseSampler:
    from optuna import samplers
    from optuna.exceptions import ExperimentalWarning

    told: Any = {"constraints_func": over_limits} if limited else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if name == "tpe":
            # Dimensions together: better, and in a third of the time where there are a hundred.
            # What runs meanwhile counts as bad, so that workers do not all try the same.
            return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, **told)
        if name == "evolution":
            return samplers.NSGAIISampler(seed=seed, population_size=POPULATION, **told)
        if name == "gp":
            return samplers.GPSampler(seed=seed, **told)
        if name == "cmaes":
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        return samplers.RandomSampler(seed=seed)

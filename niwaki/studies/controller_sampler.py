"""The controller as one of Optuna's samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from .controller import Controller, Policy, nearest
from .space import Space


class ControllerSampler(optuna.samplers.BaseSampler):
    """Draws points by a policy, and teaches it each trial that has ended.

    The policy follows from the trials alone. So a study that goes on learns them again first.
    """

    def __init__(self, settings: Controller, space: Space, seed: int) -> None:
        self._ladders = {name: space[name].ladder(settings.rungs) for name in space}
        self._policy = Policy(settings, {name: len(rungs) for name, rungs in self._ladders.items()})
        self._generator = np.random.default_rng(seed)
        self._learned: set[int] = set()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: points are drawn a dimension at a time."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing, but once before each point: the time to learn."""
        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        for other in study.get_trials(deepcopy=False, states=ended):
            if other.number not in self._learned:
                self._learned.add(other.number)
                self._learn(other)
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A value of one dimension."""
        ladder = self._ladders[param_name]
        return ladder[self._generator.choice(len(ladder), p=self._policy.shares(param_name))]

    def reseed_rng(self) -> None:
        """Optuna asks for it where threads share a sampler."""
        self._generator = np.random.default_rng()

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Nothing: it learns before the next point."""

    def _learn(self, trial: FrozenTrial) -> None:
        places = {
            name: nearest(ladder, trial.params[name]) for name, ladder in self._ladders.items()
        }
        self._policy.learn(places, trial.values[0] if trial.values else None)

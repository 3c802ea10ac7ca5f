"""Points to train: what a sampler says, as far as it is within the limits."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError

from .limits import Limits
from .reach import led, within_limits
from .samplers import make_sampler
from .space import Choice, Dimension, Integer, Point, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial

# So many points above limits in a row, and the last of them is led within.
MISSES = 2


class Proposals:
    """Optuna's study, in memory: asked for points, and told what became of them.

    Attributes:
        rejected: trials whose points are above a limit, since somebody took them.
    """

    def __init__(self, space: Space, limits: Limits, sampler: Any, seed: int) -> None:
        import optuna

        self._space, self._limits = space, limits
        self._generator = random.Random(seed)
        self._study = optuna.create_study(
            directions=limits.goals, sampler=make_sampler(sampler, space, limits, seed)
        )
        self._distributions = {name: distribution(space[name]) for name in space}
        self._anchor: tuple[float, Point] | None = None  # the cheapest point within the limits
        self.rejected: list[FrozenTrial] = []

    @property
    def trials(self) -> list[FrozenTrial]:
        """All there are, by number."""
        return self._study.get_trials(deepcopy=False)

    def next(self) -> Trial:
        """A trial whose point is within the limits, with its costs.

        Raises:
            NiwakiError: there is no such point, or a cost fails.
        """
        misses = 0
        while True:
            trial = self._asked()
            costs = self._limits.costs(self.point(trial))
            trial.set_user_attr("costs", costs)
            trial.set_user_attr("excess", self._limits.excess(costs))
            if self._limits.allow(costs):
                self._remember(self.point(trial), costs)
                return trial
            self.rejected.append(self._pruned(trial))
            misses += 1
            if misses == MISSES:
                self._lead(self.point(trial))

    def _asked(self) -> Trial:
        """A trial whose point the sampler has chosen.

        Raises:
            NiwakiError: it cannot: Optuna's may fail in any way in a space that does not suit them.
        """
        try:
            trial = self._study.ask(self._distributions)
            join_generation(trial)
        except Exception as error:
            name = type(self._study.sampler).__name__
            reason = f"{type(error).__name__}: {error}".split("\n")[0]
            raise NiwakiError(f"{name} chose no point ({reason}): take another sampler") from error
        return trial

    def end(self, trial: Trial, scores: dict[str, float]) -> FrozenTrial:
        """Tell the sampler what became of a trial: its scores, none if it failed."""
        from optuna.trial import TrialState

        if not scores:
            return self._study.tell(trial, state=TrialState.FAIL)
        values = [next(iter(scores.values()))]
        if self._limits.two_goals:
            values.append(next(iter(trial.user_attrs["costs"].values())))
        return self._study.tell(trial, values)

    def take_up(self, trial: FrozenTrial) -> bool:
        """Go on from a trial of a file; one that was at work there will be the next.

        Returns:
            Whether it can be one of this study.
        """
        from optuna.trial import TrialState

        if not self._fits(trial):
            return False
        if trial.state == TrialState.RUNNING:
            self._study.enqueue_trial(trial.params)
            return True
        costs = trial.user_attrs["costs"]
        excess = self._limits.excess(costs)  # the limits may be others now
        trial.user_attrs["excess"] = excess
        if "constraints" in trial.system_attrs:
            trial.system_attrs["constraints"] = excess
        if self._limits.allow(costs):
            self._remember(self.point(trial), costs)
        self._study.add_trial(trial)
        return True

    def point(self, trial: Trial | FrozenTrial) -> Point:
        """Its values, in the order of the space."""
        params = trial.params
        return {name: params[name] for name in self._space}

    def _fits(self, trial: FrozenTrial) -> bool:
        """Whether a trial of a file has what those of this study have."""
        from optuna.trial import TrialState

        costs, scores = (trial.user_attrs.get(name, {}) for name in ("costs", "scores"))
        if not isinstance(costs, dict) or not isinstance(scores, dict):
            return False
        numbers = [*costs.values(), *scores.values(), trial.user_attrs.get("seconds", 0.0)]
        return (
            trial.state != TrialState.WAITING
            and trial.distributions == self._distributions
            and set(costs) == set(self._limits.names)
            and bool(scores) == (trial.state == TrialState.COMPLETE)
            and all(isinstance(one, (int, float)) and math.isfinite(one) for one in numbers)
        )

    def _pruned(self, trial: Trial) -> FrozenTrial:
        from optuna.trial import TrialState

        return self._study.tell(trial, state=TrialState.PRUNED)

    def _lead(self, point: Point) -> None:
        """Have a point within the limits come next."""
        if self._anchor is None:
            anchor = within_limits(self._space, self._limits, point)
        else:
            _, anchor = self._anchor
        self._study.enqueue_trial(led(self._limits, point, anchor, self._generator))

    def _remember(self, point: Point, costs: dict[str, float]) -> None:
        total = sum(self._limits.excess(costs))
        if self._anchor is None or total < self._anchor[0]:
            self._anchor = total, point


def join_generation(trial: Trial) -> None:
    """Let a trial whose point was led count among those of its generation.

    Samplers that have generations number a trial when they draw its point, and never learn from
    others. Optuna does not ask them where the point is given.
    """
    from optuna.samplers import CmaEsSampler, NSGAIIISampler, NSGAIISampler

    if isinstance(trial.study.sampler, (CmaEsSampler, NSGAIISampler, NSGAIIISampler)):
        _ = trial.relative_params  # what it draws is left aside


def distribution(dimension: Dimension) -> BaseDistribution:
    """A dimension in Optuna's words."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if isinstance(dimension, Integer):
        return IntDistribution(dimension.low, dimension.high, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)

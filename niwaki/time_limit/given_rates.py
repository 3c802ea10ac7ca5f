"""Rates that methods are told: chosen by costs, and corrected by timing before any training.

Time depends on which weights are zero, not on what the others are. So what costs got wrong shows in
a network that is pruned at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import nn

from niwaki.layer_costs import Setting
from niwaki.pruning import prune
from niwaki.pruning.mapping import map_schemes

from .nearness import AIM, ROUNDS, above, is_near
from .task import Task, TimedFor, Trained, configuration


@dataclass(frozen=True)
class GivenRates:
    """For methods that prune to the rates that they are told."""

    task: Task

    def choose(self, limit: float, aim: float) -> tuple[dict[str, Setting], float]:
        task = self.task
        mapped = partial(map_schemes, task.options, task.costs)
        return settle_rates(mapped, task.dense, task.timed, limit, aim)

    def trained(self, settings: dict[str, Setting], before: float, limit: float) -> Trained:
        config = configuration(settings)
        return Trained(self.task.train(method=self.task.method, config=config), settings, before)


def settle_rates(
    mapped: Callable[[float], dict[str, Setting]],
    dense: nn.Module,
    timed: TimedFor,
    limit: float,
    aim: float,
) -> tuple[dict[str, Setting], float]:
    """Settings with which the network, pruned at once, is timed within the limit and near it.

    Args:
        mapped: settings with which costs tell so many seconds.
        aim: the first that it is asked for.

    Raises:
        NiwakiError: it was above the limit each time.
    """
    best: tuple[dict[str, Setting], float] = {}, 0.0
    for _ in range(ROUNDS):
        settings = mapped(aim)
        seconds = timed(pruned_at_once(dense, settings), limit)
        if settings and best[1] < seconds <= limit:
            best = settings, seconds
        if is_near(seconds, limit):
            break
        aim *= limit * AIM / seconds
    if not best[1]:
        raise above(seconds, limit)
    return best


def pruned_at_once(dense: nn.Module, settings: Mapping[str, Setting]) -> nn.Module:
    """The network with these settings, without training; as it is where there are none."""
    if not settings:
        return dense
    return prune(dense, method="magnitude", config=configuration(settings), progress=False)

"""Rates that methods find: what they start from, and what they end with.

schemes of the mapping, rates to begin with  -->  trained  -->  rates that weights have
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from niwaki.layer_costs import AS_IT_IS, Setting
from niwaki.pruning import PruningConfig, parse_scheme, select
from niwaki.pruning.layers import Layer
from niwaki.pruning.mapping import map_schemes
from niwaki.pruning.method import Method
from niwaki.pruning.selection import Target, misfit

from .settled_removal import SettledRemoval
from .task import Task, Trained, configuration


@dataclass(frozen=True)
class OwnRates:
    """For methods that find rates while they train: weights are removed until the time is met."""

    task: Task

    def choose(self, limit: float, aim: float) -> tuple[dict[str, Setting], float]:
        return starting_point(self.task, aim), 0.0

    def trained(self, settings: dict[str, Setting], before: float, limit: float) -> Trained:
        task = self.task
        removal = SettledRemoval(task.dense, task.timed, limit)
        costs = task.costs if task.method.takes_costs else None
        config = replace(configuration(settings), costs=costs)
        pruned = task.train(method=removal.of(task.method), config=config)
        return Trained(pruned, reached(pruned, config), removal.seconds)


def fitting(schemes: Sequence[str], layer: Layer, method: Method) -> Sequence[str]:
    """Those that the method can prune the layer to."""
    if not method.own_rates:
        return schemes
    return [text for text in schemes if parse_scheme(text).blocks(layer.shape, layer.groups)]


def starting_point(task: Task, aim: float) -> dict[str, Setting]:
    """What a method with rates of its own starts from: schemes of layers, and their rates.

    One that asks for costs gets all layers, and how much faster the network has to be.
    """
    settings = map_schemes(task.options, task.costs, aim)
    if not task.method.takes_costs:
        return settings
    rate = task.costs.network({}) / aim
    for layer in task.layers:
        known = settings.get(layer.name) or task.options[layer.name][-1].setting
        settings[layer.name] = replace(known, rate=rate)
        if known == AS_IT_IS or misfit(Target(layer, parse_scheme(known.scheme), rate)):
            del settings[layer.name]
    return settings


def reached(pruned: nn.Module, config: PruningConfig) -> dict[str, Setting]:
    """Settings with the rates that weights have in the end."""
    settings = {}
    for target in select(pruned, config):
        weight = target.layer.weight
        kept = int(weight.count_nonzero())
        rate = weight.numel() / kept if kept else math.inf
        settings[target.layer.name] = Setting(str(target.scheme), rate)
    return settings

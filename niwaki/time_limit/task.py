"""What a network within a time limit is made of, and the two ways there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

from niwaki.layer_costs import LayerCosts, Setting
from niwaki.pruning import LayerRule, PruningConfig
from niwaki.pruning.layers import Layer
from niwaki.pruning.mapping import Option
from niwaki.pruning.method import Method

# A network and a limit to seconds of a call.
TimedFor = Callable[[Any, float], float]


@dataclass(frozen=True)
class Task:
    """What is to be pruned, and by what.

    Attributes:
        dense: the network, which stays as it is.
        layers: that may be pruned.
        options: what each of them could be, by name.
        costs: of all layers.
        timed: times a network that may be within a limit.
        train: prunes the network by a method as a configuration says, and trains it.
    """

    dense: nn.Module
    layers: Sequence[Layer]
    options: Mapping[str, Sequence[Option]]
    costs: LayerCosts
    timed: TimedFor
    method: Method
    train: Callable[..., nn.Module]


@dataclass(frozen=True)
class Trained:
    """A network that was pruned and trained.

    Attributes:
        settings: of the layers that were pruned, by name.
        before: seconds before training; 0 where it was not timed.
    """

    model: nn.Module
    settings: dict[str, Setting]
    before: float


class Rates(Protocol):
    """How layers come to rates with which the network is within a limit."""

    def choose(self, limit: float, aim: float) -> tuple[dict[str, Setting], float]:
        """Settings to train with, for costs that tell `aim` seconds; and seconds as timed.

        0 where they were not timed. Raises NiwakiError where no settings are within the limit.
        """

    def trained(self, settings: dict[str, Setting], before: float, limit: float) -> Trained:
        """The network with them, which took so long before training."""


def configuration(settings: Mapping[str, Setting]) -> PruningConfig:
    """Each layer its setting, and no other layer anything."""
    rules = [LayerRule([name], one.scheme, one.rate) for name, one in settings.items()]
    return PruningConfig(layers=rules, include=list(settings))

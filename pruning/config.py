"""Which layers are pruned, to which scheme and rate."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from niwaki.arguments import given
from niwaki.errors import NiwakiError
from niwaki.layer_costs import LayerCosts

from .scheme import PruningScheme, parse_scheme

BUDGETS = ("layer", "weights", "flops", "latency")


@dataclass(frozen=True)
class LayerRule:
    """What some layers do differently.

    Attributes:
        match: names with ``*`` and ``?``, or ``type:Conv2d`` for a class of modules.
        scheme: None for that of the configuration.
        rate: None for that of the configuration.
    """

    match: Sequence[str]
    scheme: str | PruningScheme | None = None
    rate: float | None = None


@dataclass(frozen=True)
class PruningConfig:
    """What is pruned, and how.

    Attributes:
        scheme: of layers that no rule gives another.
        rate: all weights / kept weights, of each layer that no rule gives another.
        layers: rules; the last that matches a layer decides.
        include: names or types of the layers to prune. None: all that the scheme fits and at
            which the rate is possible, but the first and the last of the network and depthwise
            convolutions, which have few weights and suffer most; and all that a rule matches.
        exclude: names or types of layers that stay dense.
        budget: ``layer``, each layer has its rate; or what falls by the rate in all layers
            together, while one threshold tells rates of layers: ``weights``, ``flops``, or
            ``latency``.
        times: for the budget latency, seconds of each dense layer by its name, or a JSON file that
            has them, as `niwaki bench --layers --json` prints it.
        costs: of layers in any scheme and width, as `niwaki.costs.price.priced` gives them: with
            them the rate of the method search is one of time; or in the place of times.
    """

    scheme: str | PruningScheme = "block_punched"
    rate: float = 8.0
    layers: Sequence[LayerRule] = ()
    include: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    budget: str = "layer"
    times: Mapping[str, float] | str | os.PathLike[str] | None = None
    costs: LayerCosts | None = None


def check_config(config: PruningConfig) -> None:
    """Every value is of the kind that it must be, whatever the network.

    Raises:
        NiwakiError: one is not; the message names it, what was given, and what is allowed.
    """
    if not isinstance(config, PruningConfig):
        raise NiwakiError(
            "config is a PruningConfig, or what load_config makes of a YAML file, not "
            f"{given(config)}"
        )
    parse_scheme(config.scheme)
    check_rate(config.rate)
    if config.include is not None:
        check_names("include", config.include)
    check_names("exclude", config.exclude)
    if not isinstance(config.layers, (list, tuple)):
        raise NiwakiError(f"layers is a list of LayerRule, not {config.layers!r}")
    for rule in config.layers:
        _check_rule(rule)
    if config.budget not in BUDGETS:
        raise NiwakiError(f"unknown budget {config.budget!r}: choose one of {', '.join(BUDGETS)}")
    if config.times is not None and not isinstance(config.times, (Mapping, str, os.PathLike)):
        raise NiwakiError(f"times is a file, or seconds of each layer, not {config.times!r}")
    if config.costs is not None and not isinstance(config.costs, LayerCosts):
        raise NiwakiError(
            "costs tell seconds of layers in other settings, as niwaki.costs.price.priced gives "
            f"them, and not {given(config.costs)}"
        )


def check_rate(rate: Any) -> float:
    """The rate as a number; raises NiwakiError where it is none."""
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise NiwakiError(f"a pruning rate is a number, as 8, not {rate!r}")
    number = float(rate)
    if not 1 <= number < math.inf:
        raise NiwakiError(
            f"a pruning rate is at least 1 (8 keeps one weight in 8) and finite, not {number:g}"
        )
    return number


def check_names(argument: str, names: Any) -> None:
    """Raises NiwakiError where they are no list of text."""
    if isinstance(names, str):
        raise NiwakiError(f"{argument} is a list of layers: ['{names}'], not '{names}'")
    if not isinstance(names, (list, tuple, set, frozenset)):
        raise NiwakiError(f"{argument} is a list of names of layers, not {names!r}")
    for name in names:
        if not isinstance(name, str):
            # YAML reads 2 and 1.10 as numbers, and the second has lost a digit then.
            raise NiwakiError(f"{argument} names layers by text, in quotes: '{name}', not {name!r}")


def _check_rule(rule: Any) -> None:
    if not isinstance(rule, LayerRule):
        raise NiwakiError(
            f"each entry of layers is a LayerRule, as LayerRule(['fc'], rate=4), not {rule!r}"
        )
    check_names("match", rule.match)
    if not rule.match:
        raise NiwakiError("match of a LayerRule names layers, and this one is empty")
    if rule.scheme is not None:
        parse_scheme(rule.scheme)
    if rule.rate is not None:
        check_rate(rule.rate)

"""Which scheme, block size and rate each layer gets within a time limit, at the least damage.

    conv1   dense 0.20 ms, damage 0      block_punched 4x 0.09 ms, 0.3      pattern 4x 0.10 ms, 0.2
    conv2   dense 0.90 ms, damage 0      block_punched 4x 0.30 ms, 0.1      ...
      --> limit 0.5 ms
    conv1   pattern 4x,  conv2   block_punched 4x

One multiplier weighs time against damage in all layers: each takes the option that is best for it,
and the multiplier is as small as the limit allows (Everett 1963). What is left of the limit then
goes where a second saves most. Scheme mapping is https://arxiv.org/abs/2111.11581, which searches
by reinforcement learning and has rates from elsewhere; with costs that add up, this is as good and
takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from niwaki.errors import NiwakiError
from niwaki.layer_costs import AS_IT_IS, LayerCosts, Setting
from niwaki.schemes.base import SchemeError, Weights

from .importance import damage
from .layers import Layer
from .scheme import parse_scheme

SCHEMES = (
    "unstructured",
    "pattern",
    "block_punched(filters=4)",
    "block_punched",
    "block_punched(filters=16)",
)
RATES = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 24.0, 32.0, 48.0)
# A network's time may end so far below its limit.
SLACK = 0.02
ROUNDS = 12
# Rates are made smaller by at most so much in the end.
STRETCH = 1.6


@dataclass(frozen=True)
class Option:
    """One thing that a layer could be: its time in seconds, and what it costs in loss."""

    setting: Setting
    seconds: float
    damage: float


def options_of(
    layer: Layer,
    importance: Weights,
    costs: LayerCosts,
    schemes: Sequence[str] = SCHEMES,
    rates: Sequence[float] = RATES,
) -> list[Option]:
    """What a layer could be, slowest first: options that no other one beats in both.

    The layer is the dense one among them, and nothing that takes longer.
    """
    weights = layer.array(layer.weight)
    found = [Option(AS_IT_IS, costs.seconds(layer.name, AS_IT_IS), 0.0)]
    for text in schemes:
        scheme = parse_scheme(text)
        for rate in rates:
            setting = Setting(text, rate)
            try:
                scheme.check(layer.shape, layer.groups, rate)
            except SchemeError:
                continue
            seconds = costs.seconds(layer.name, setting)
            if seconds < found[0].seconds:
                mask = scheme.fit(weights).mask(weights, rate, layer.groups)
                found.append(Option(setting, seconds, damage(importance, mask)))
    return unbeaten(found)


def unbeaten(options: Sequence[Option]) -> list[Option]:
    """Those for which no other is as fast at less damage; slowest first."""
    kept: list[Option] = []
    for option in sorted(options, key=lambda each: (each.damage, each.seconds)):
        if not kept or option.seconds < kept[-1].seconds:
            kept.append(option)
    return kept


def choose(options: Mapping[str, Sequence[Option]], limit: float) -> dict[str, Option]:
    """One option of each layer, of at most `limit` seconds in all, at the least damage.

    Where not even the fastest are within the limit, these.
    """
    fastest = {name: each[-1] for name, each in options.items()}
    if _seconds(fastest) > limit:
        return fastest
    low, high = 0.0, 1.0
    while _seconds(_at(options, high)) > limit:
        high *= 4
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _seconds(_at(options, middle)) > limit else (low, middle)
    chosen = _at(options, high)
    while (better := _upgrade(options, chosen, limit - _seconds(chosen))) is not None:
        name, option = better
        chosen[name] = option
    return chosen


def map_schemes(
    options: Mapping[str, Sequence[Option]], costs: LayerCosts, limit: float
) -> dict[str, Setting]:
    """Settings of layers with which the network takes at most `limit` seconds, and hardly less.

    The network takes less than its layers, where channels are trimmed that nothing reads, and more,
    by what is no layer: so the limit of the layers is moved until that of the network is met.

    Raises:
        NiwakiError: the limit cannot be reached.
    """
    dense = costs.network({})
    if dense <= limit:
        return {}
    fastest = {name: each[-1] for name, each in options.items()}
    least = costs.network(_settings(fastest))
    if least > limit:
        raise NiwakiError(_unreachable(fastest, least, limit))
    within, best = _settings(fastest), least
    budget = limit - (dense - math.fsum(each[0].seconds for each in options.values()))
    for _ in range(ROUNDS):
        settings = _settings(choose(options, budget))
        total = costs.network(settings)
        if best < total <= limit:
            best, within = total, settings
        if limit * (1 - SLACK) <= total <= limit:
            break
        budget += limit * (1 - SLACK / 2) - total
    return _stretched(within, costs, limit)


def _stretched(settings: dict[str, Setting], costs: LayerCosts, limit: float) -> dict[str, Setting]:
    """What is left of the limit goes into rates between the tabulated ones, largest layers first.

    A network of few layers would else end where its next step is too long.
    """
    for name in sorted(settings, key=lambda each: -costs.seconds(each, settings[each])):
        if costs.network(settings) >= limit * (1 - SLACK):
            break
        high = settings[name].rate
        low = max(1.0, high / STRETCH)
        for _ in range(8):
            middle = math.sqrt(low * high)
            trial = replace(settings[name], rate=middle)
            # A scheme may not have so small a rate: patterns of 4 of 9 taps begin at 2.25.
            fits = math.isfinite(costs.seconds(name, trial))
            enough = fits and costs.network({**settings, name: trial}) <= limit
            low, high = (low, middle) if enough else (middle, high)
        settings = {**settings, name: replace(settings[name], rate=high)}
    return settings


def _settings(chosen: Mapping[str, Option]) -> dict[str, Setting]:
    """Of layers that do not stay as they are."""
    return {name: each.setting for name, each in chosen.items() if each.setting != AS_IT_IS}


def _at(options: Mapping[str, Sequence[Option]], weight: float) -> dict[str, Option]:
    """What each layer takes where a second costs so much damage."""
    return {
        name: min(each, key=lambda option: option.damage + weight * option.seconds)
        for name, each in options.items()
    }


def _upgrade(
    options: Mapping[str, Sequence[Option]], chosen: Mapping[str, Option], left: float
) -> tuple[str, Option] | None:
    """The option that saves most damage for a second, of those that fit into what is left."""
    best, most = None, 0.0
    for name, each in options.items():
        now = chosen[name]
        for option in each:
            more = option.seconds - now.seconds
            if 0 < more <= left and (now.damage - option.damage) / more > most:
                best, most = (name, option), (now.damage - option.damage) / more
    return best


def _seconds(chosen: Mapping[str, Option]) -> float:
    return math.fsum(option.seconds for option in chosen.values())


def _unreachable(fastest: Mapping[str, Option], least: float, limit: float) -> str:
    """The least that is possible, and what costs most of it."""
    name, most = max(fastest.items(), key=lambda item: item[1].seconds)
    rest = max(0.0, least - _seconds(fastest))
    return (
        f"no pruning of these layers takes at most {1e3 * limit:.3g} ms: the least is "
        f"{1e3 * least:.3g} ms, of which {1e3 * rest:.3g} are none of theirs and {name} takes "
        f"{1e3 * most.seconds:.3g} as {most.setting}; raise the limit, or include more layers"
    )

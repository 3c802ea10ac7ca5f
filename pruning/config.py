"""Which layers are pruned, to which scheme and rate: dataclasses, or the same as YAML.

scheme: block_punched(filters=8)
rate: 8
exclude: [classifier]
layers:
  - match: ["features.0", "type:Linear"]    # the last entry that matches a layer decides
    scheme: unstructured
    rate: 4
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from numbers import Real
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.schemes.base import SchemeError

from .costs import layer_flops, layer_seconds, read_times
from .layers import Layer, find_layers
from .scheme import PruningScheme, parse_scheme

TYPE = "type:"
BUDGETS = ("layer", "weights", "flops", "latency")

Flops = Callable[[Sequence[Layer]], Mapping[str, float]]


class Named(Protocol):
    """What names and types match."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...


NamedType = TypeVar("NamedType", bound=Named)


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
    """

    scheme: str | PruningScheme = "block_punched"
    rate: float = 8.0
    layers: Sequence[LayerRule] = ()
    include: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    budget: str = "layer"
    times: Mapping[str, float] | str | os.PathLike[str] | None = None


@dataclass(frozen=True, eq=False)
class Target:
    """A layer that is to be pruned.

    Attributes:
        rate: all weights / kept weights.
        cost: of one weight, where layers share a budget; None: the rate is the layer's own.
    """

    layer: Layer
    scheme: PruningScheme
    rate: float
    cost: float | None = None


def select(model: nn.Module, config: PruningConfig, example: Any = None) -> list[Target]:
    """The layers that the configuration prunes, each with its scheme and rate, perhaps a cost.

    Args:
        example: inputs of the network, several in a tuple; for the budget flops.

    Raises:
        NiwakiError: a name or type matches no layer, a scheme does not fit a layer that is named,
            a rate is below 1 or impossible, nothing is left to prune, or costs of layers are not
            known.
    """

    def flops(layers: Sequence[Layer]) -> Mapping[str, float]:
        if example is None:
            raise NiwakiError("the budget flops needs an example of the network's inputs: give one")
        return layer_flops(model, layers, example)

    return select_layers(find_layers(model), config, flops)


def select_layers(layers: Sequence[Layer], config: PruningConfig, flops: Flops) -> list[Target]:
    """As `select`, of the layers of a network that is not PyTorch's.

    Args:
        layers: of the whole network, in order.
        flops: tells the floating-point operations of some of them, by name.
    """
    targets = _chosen(layers, config)
    costs = _costs([target.layer for target in targets], config, flops)
    if costs is None:
        return targets
    return [
        replace(target, cost=costs[target.layer.name] / target.layer.weight.numel())
        for target in targets
    ]


def _chosen(layers: Sequence[Layer], config: PruningConfig) -> list[Target]:
    rules = [*config.layers]
    for patterns in (config.include or (), config.exclude, *(rule.match for rule in rules)):
        _check_matches(patterns, layers)
    targets = []
    for index, layer in enumerate(layers):
        rule = next((rule for rule in reversed(rules) if _matches(rule.match, layer)), None)
        named = rule is not None or _matches(config.include or (), layer)
        spared = index in (0, len(layers) - 1) or layer.is_depthwise
        if _matches(config.exclude, layer) or (
            not named and (config.include is not None or spared)
        ):
            continue
        scheme = (rule and rule.scheme) or config.scheme
        rate = config.rate if rule is None or rule.rate is None else rule.rate
        target = Target(layer, parse_scheme(scheme), _number(rate))
        problem = misfit(target)
        if not problem:
            targets.append(target)
        elif named or not target.rate >= 1:
            raise NiwakiError(f"{layer.name}: {problem}")
    if not targets:
        raise NiwakiError(
            f"no layer is left to prune to {config.scheme} at a rate of {config.rate:g}: name "
            "layers to include ('*' for all), or choose another scheme or rate"
        )
    return targets


def _costs(
    layers: Sequence[Layer], config: PruningConfig, flops: Flops
) -> Mapping[str, float] | None:
    """What each dense layer costs; None if layers have rates of their own."""
    if config.budget not in BUDGETS:
        raise NiwakiError(f"unknown budget '{config.budget}': choose one of {', '.join(BUDGETS)}")
    if config.budget == "layer":
        return None
    if config.budget == "weights":
        return {layer.name: float(layer.weight.numel()) for layer in layers}
    if config.budget == "flops":
        return flops(layers)
    if config.times is None:
        raise NiwakiError(
            "the budget latency needs times: seconds of each layer, or the file that niwaki bench "
            "--layers --json prints"
        )
    times = config.times if isinstance(config.times, Mapping) else read_times(config.times)
    return layer_seconds(layers, times)


def named_layers(layers: Sequence[NamedType], patterns: Sequence[str]) -> list[NamedType]:
    """Those that a name or type matches.

    Raises:
        NiwakiError: a name or type matches none.
    """
    _check_matches(patterns, layers)
    return [layer for layer in layers if _matches(patterns, layer)]


def load_config(path: str | os.PathLike[str]) -> PruningConfig:
    """The configuration in a YAML file; its keys are the fields of the dataclasses.

    Raises:
        NiwakiError: no such file, no YAML, or an unknown key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise NiwakiError(f"{path}: no YAML: {problem}") from None
    values = _fields(path, content, PruningConfig)
    rules = [
        LayerRule(**{"match": (), **_fields(path, rule, LayerRule)})
        for rule in _list(path, values.pop("layers", None), "layers")
    ]
    if any(not rule.match for rule in rules):
        raise NiwakiError(f"{path}: each entry of layers needs match: [names or type:Class]")
    for key in ("include", "exclude"):
        if key in values:
            values[key] = _list(path, values[key], key)
    return PruningConfig(**values, layers=rules)


def _fields(path: str | os.PathLike[str], content: Any, kind: type[Any]) -> dict[str, Any]:
    known = [field.name for field in fields(kind)]
    if not isinstance(content, Mapping):
        raise NiwakiError(f"{path}: expected keys {', '.join(known)}, not {content!r}")
    for key in content:
        if key not in known:
            raise NiwakiError(f"{path}: unknown key '{key}': choose from {', '.join(known)}")
    values = {key: value for key, value in content.items() if value is not None}
    if "match" in values:
        values["match"] = _list(path, values["match"], "match")
    if "rate" in values:
        try:
            values["rate"] = _number(values["rate"])
        except NiwakiError as error:
            raise NiwakiError(f"{path}: {error}") from None
    times = values.get("times", {})
    if isinstance(times, str):
        values["times"] = Path(path).parent / times
    elif not isinstance(times, Mapping):
        raise NiwakiError(f"{path}: times is a file, or seconds of each layer, not {times!r}")
    if not isinstance(values.get("scheme", ""), str):
        raise NiwakiError(f"{path}: scheme is text as in pattern(taps=4), not {values['scheme']!r}")
    return values


def _list(path: str | os.PathLike[str], value: Any, key: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise NiwakiError(f"{path}: {key} is a list, not {value!r}")
    return value


def _number(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise NiwakiError(f"a pruning rate is a number, as 8, not {rate!r}")
    return float(rate)


def _matches(patterns: Sequence[str], layer: Named) -> bool:
    return any(
        layer.kind == pattern.removeprefix(TYPE)
        if pattern.startswith(TYPE)
        else fnmatchcase(layer.name, pattern)
        for pattern in patterns
    )


def _check_matches(patterns: Sequence[str], layers: Sequence[Named]) -> None:
    if isinstance(patterns, str):
        raise NiwakiError(f"layers are named in a list: ['{patterns}'], not '{patterns}'")
    for pattern in patterns:
        if not isinstance(pattern, str):
            # YAML reads 2 and 1.10 as numbers, and the second has lost a digit then.
            raise NiwakiError(f"layers are named by text, in quotes: '{pattern}', not {pattern}")
        if not any(_matches([pattern], layer) for layer in layers):
            names = [layer.name for layer in layers]
            some = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            raise NiwakiError(f"'{pattern}' matches no layer: there are {some or 'none'}")


def misfit(target: Target) -> str:
    """Why the scheme does not fit; empty when it does."""
    try:
        target.scheme.check(target.layer.shape, target.layer.groups, target.rate)
    except SchemeError as error:
        return str(error)
    return ""

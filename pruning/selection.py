"""The layers that a configuration prunes, and why the others stay dense."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from niwaki.errors import NiwakiError
from niwaki.layer_costs import AS_IT_IS
from niwaki.schemes.base import SchemeError

from .config import PruningConfig, check_config
from .costs import layer_flops, layer_seconds, read_times
from .layer_names import check_matches, matches, some
from .layers import Layer, find_layers
from .scheme import PruningScheme, parse_scheme

Flops = Callable[[Sequence[Layer]], Mapping[str, float]]


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
        NiwakiError: a value of the configuration is not what it must be, a name or type matches no
            layer, a scheme does not fit a layer that is named, a rate is impossible, nothing is
            left to prune, or costs of layers are not known.
    """

    def flops(layers: Sequence[Layer]) -> Mapping[str, float]:
        if example is None:
            raise NiwakiError("the budget flops needs an example of the network's inputs: give one")
        return layer_flops(model, layers, example)

    return select_layers(find_layers(model), config, flops, _no_layers(model))


def select_layers(
    layers: Sequence[Layer],
    config: PruningConfig,
    flops: Flops,
    others: Mapping[str, str] = MappingProxyType({}),
) -> list[Target]:
    """As `select`, of the layers of a network that is not PyTorch's.

    Args:
        layers: of the whole network, in order.
        flops: tells the floating-point operations of some of them, by name.
        others: names of weights that are no layers', and what they are.
    """
    check_config(config)
    for patterns in (config.include or (), config.exclude, *(rule.match for rule in config.layers)):
        check_matches(patterns, layers)
    decisions = _decisions(layers, config)
    targets = [decision for decision in decisions.values() if isinstance(decision, Target)]
    if not targets:
        reasons = _joined(left_out_layers(layers, config), _listed(others))
        reasons = reasons or "the network has none"
        raise NiwakiError(
            f"no layer is left to prune to {config.scheme} at a rate of {config.rate:g}: "
            f"{reasons}; name layers to include ('*' for all), or choose "
            "another scheme or rate"
        )
    costs = _costs([target.layer for target in targets], config, flops)
    if costs is None:
        return targets
    return [
        replace(target, cost=costs[target.layer.name] / target.layer.weight.numel())
        for target in targets
    ]


def left_out(
    model: nn.Module, config: PruningConfig, unreached: Mapping[str, str] | None = None
) -> str:
    """What stays dense of weights with two dimensions or more, and why; empty where nothing does.

    `unreached` are layers that a method leaves dense, and why. In one line:
    ``embed.weight (of an Embedding), conv1 (first of the network)``.
    """
    layers = left_out_layers(find_layers(model), config)
    return _joined(layers, _listed(_no_layers(model)), _listed(unreached or {}))


def left_out_layers(layers: Sequence[Layer], config: PruningConfig) -> str:
    """Which of these layers stay dense, and why."""
    return _listed({k: v for k, v in _decisions(layers, config).items() if isinstance(v, str)})


def misfit(target: Target) -> str:
    """Why the scheme does not fit; empty when it does."""
    try:
        target.scheme.check(target.layer.shape, target.layer.groups, target.rate)
    except SchemeError as error:
        return str(error)
    return ""


def _decisions(layers: Sequence[Layer], config: PruningConfig) -> dict[str, Target | str]:
    """Of each layer what is done to it, or why it stays dense."""
    ends = {layers[0].name: "first", layers[-1].name: "last"} if layers else {}
    if layers and layers[0].module == layers[-1].module:
        ends = {}  # the network is one recurrent layer, or attention: nothing else is left
    return {layer.name: _decision(layer, config, ends.get(layer.name, "")) for layer in layers}


def _decision(layer: Layer, config: PruningConfig, end: str) -> Target | str:
    rule = next((rule for rule in reversed(config.layers) if matches(rule.match, layer)), None)
    named = rule is not None or matches(config.include or (), layer)
    if matches(config.exclude, layer):
        return "excluded"
    if not named and config.include is not None:
        return "not included"
    if not named and end:
        return f"{end} of the network"
    if not named and layer.is_depthwise:
        return "depthwise"
    scheme = (rule and rule.scheme) or config.scheme
    rate = config.rate if rule is None or rule.rate is None else rule.rate
    target = Target(layer, parse_scheme(scheme), float(rate))
    problem = misfit(target)
    if problem and named:
        raise NiwakiError(f"{layer.name}: {problem}")
    return problem or target


def _no_layers(model: nn.Module) -> dict[str, str]:
    """Weights with two dimensions or more that are no layers', and what they are."""
    known = {id(layer.weight) for layer in find_layers(model)}
    return {
        label: _no_layer(label, module)
        for path, module in model.named_modules()
        for label, weight in module.named_parameters(path, recurse=False)
        if id(weight) not in known and weight.dim() > 1
    }


def _no_layer(label: str, module: nn.Module) -> str:
    name = label.rpartition(".")[2]
    if name.endswith("_orig"):
        return "masked: torch.nn.utils.prune.remove makes it a weight"
    if isinstance(module, ParametrizationList) or name.endswith("_v"):
        return "computed in each call"
    return f"of class {type(module).__name__}"


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


def _listed(reasons: Mapping[str, str]) -> str:
    """``conv1 (first of the network), a, b and 7 more (depthwise)``."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name or "the network's only layer")
    return ", ".join(f"{some(same)} ({reason})" for reason, same in names.items())


def _costs(
    layers: Sequence[Layer], config: PruningConfig, flops: Flops
) -> Mapping[str, float] | None:
    """What each dense layer costs; None if layers have rates of their own."""
    if config.budget == "layer":
        return None
    if config.budget == "weights":
        return {layer.name: float(layer.weight.numel()) for layer in layers}
    if config.budget == "flops":
        return flops(layers)
    if config.costs is not None:
        known = config.costs
        return layer_seconds(layers, {name: known.seconds(name, AS_IT_IS) for name in known.layers})
    if config.times is None:
        raise NiwakiError(
            "the budget latency needs times: seconds of each layer, or the file that niwaki bench "
            "--layers --json prints"
        )
    times = config.times if isinstance(config.times, Mapping) else read_times(config.times)
    return layer_seconds(layers, times)

"""Prune a network until a call takes at most so long: `niwaki.prune_within`.

    costs of layers  -->  scheme and rate of each layer  -->  pruned without training, and timed
                             ^                                      |
                             |___ the limit, moved by what was missed
                     -->  pruned and trained so

Methods with rates of their own get schemes alone. They are timed where they remove weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from numbers import Real
from typing import Any

from torch import nn
from torch.nn import functional

from niwaki.arguments import given
from niwaki.costs.price import ESTIMATE, MEASURE, priced
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.module_copy import copy_module
from niwaki.pruning import PruningConfig, parse_scheme, prune, select
from niwaki.pruning.arguments import check_arguments, check_training
from niwaki.pruning.importance import importance
from niwaki.pruning.mapping import SCHEMES, map_schemes, options_of
from niwaki.pruning.method import Method, parse_method
from niwaki.pruning.rules import Rule, find_rules, schemes_by_layer
from niwaki.pruning.training import first_inputs, steps_of
from niwaki.time_limit.kept_settings import KeptSettings
from niwaki.time_limit.network_time import timer
from niwaki.time_limit.own_rates import fitting, reached, starting_point
from niwaki.time_limit.settling import SettledRemoval, configuration, settle_rates

# How often a trained network that takes longer than it did before is pruned anew.
CORRECTIONS = 1
MAPPINGS = ("search", "rules")
LONGEST_MS = 1e12
# What any layer can have that pruning may touch at all.
ANY_LAYER: dict[str, Any] = {
    "scheme": "unstructured", "rate": 1.5, "layers": (), "budget": "layer",
}  # fmt: skip


@dataclass(frozen=True)
class Limited:
    """A network within its limit.

    Attributes:
        model: pruned, and trained.
        settings: of the layers that were pruned, by name.
        rules: of the mapping by rules; empty without.
        dense: seconds of the network as it was, by timing it.
        predicted: seconds by costs of layers.
        seconds: by timing the network, before training and after; equal but for noise.
        source: who timed it.
    """

    model: nn.Module
    settings: Mapping[str, Setting]
    rules: Sequence[Rule]
    dense: float
    predicted: float
    seconds: tuple[float, float]
    source: str

    def __str__(self) -> str:
        before, after = (f"{1e3 * seconds:.3f}" for seconds in self.seconds)
        return (
            f"{after} ms by {self.source} (dense {1e3 * self.dense:.3f}, {before} before training, "
            f"{1e3 * self.predicted:.3f} by costs of layers)"
        )


def prune_within(
    model: nn.Module,
    train_loader: Any,
    *,
    target_ms: float,
    target: str = "host",
    source: str | None = None,
    mapping: str = "search",
    schemes: Sequence[str] = SCHEMES,
    method: str | Method = "gradual",
    loss: Callable[[Any, Any], Any] = functional.cross_entropy,
    example: Any = None,
    config: PruningConfig | None = None,
    precision: str = "f32",
    costs: str | os.PathLike[str] | None = None,
    **training: Any,
) -> Limited:
    """Choose scheme, block size and rate of each layer for a time limit, then prune and train.

    Args:
        model: trained; it stays as it is.
        train_loader: as of `niwaki.prune`. Gradients of a few batches tell what layers can lose.
        target_ms: what a call may take, in milliseconds, with one example at once.
        target, source: whose time it is, and by what, as of `niwaki.costs.price.priced`.
        mapping: ``search``: any scheme for any layer, at the least damage; ``rules``: a scheme for
            each kind of layer, as costs of the target tell it, and rates at the least damage.
        schemes: to choose from; one alone for all layers, as ``["filter"]``, is a choice, too.
        method: of `METHODS`. One with rates of its own, search or reweighted, gets the schemes of
            the mapping, of those with blocks, and ends with the rates that training tells.
        example: inputs of a call; None: the first of the first batch.
        config: which layers to include and exclude; schemes, rates and budget are chosen here.
        precision: as of `niwaki.compile`.
        costs: as of `niwaki.costs.price.priced`.
        training: more arguments of `niwaki.prune`, as ``epochs`` and ``eval``. Beside a
            ``checkpoint`` the settings are kept that it is for.

    Raises:
        NiwakiError: no choice is within the limit (it tells the least, and what costs most), or as
            `niwaki.prune` and `niwaki.compile` do.
    """
    others = {"loss": loss, "method": method, "example": example, "config": config, **training}
    limit = _checked(target_ms, mapping, schemes, model, train_loader, others)
    method = parse_method(method)
    source = source or (MEASURE if target == "host" else ESTIMATE)
    batch = first_inputs(train_loader) if example is None else example
    call = single(batch) if example is None else example
    options_of_run = {
        "target_ms": str(target_ms), "target": target, "source": source, "mapping": mapping,
        "schemes": ", ".join(map(str, schemes)), "precision": precision,
    }  # fmt: skip
    kept = KeptSettings(training.get("checkpoint"), options_of_run)
    going_on = kept.load()
    dense = copy_module(model).eval()
    with (
        priced(
            dense, call, target=target, source=source, precision=precision, costs=costs
        ) as oracle,
        timer(call, target, source, precision, oracle) as seconds_of,
    ):
        rules = find_rules(oracle) if mapping == "rules" else []
        mapped = schemes_by_layer(rules)
        layers = [
            each.layer
            for each in select(model, replace(config or PruningConfig(), **ANY_LAYER))
            if each.layer.name in oracle.layers
        ]
        unpruned, told = seconds_of(dense), oracle.network({})
        if unpruned <= limit:
            return Limited(dense, {}, rules, unpruned, told, (unpruned, unpruned), source)
        check_training(method, train_loader, training.get("epochs", 0))
        if not layers:
            raise NiwakiError(
                f"no layer can be pruned, and the network takes {1e3 * unpruned:.3g} ms where "
                f"{target_ms:g} are allowed: raise the limit, or include its first or last layer"
            )
        worth = importance(model, layers, train_loader, loss)
        options = {
            layer.name: options_of(
                layer,
                worth[layer.name],
                oracle,
                fitting([mapped[layer.name]] if layer.name in mapped else schemes, layer, method),
            )
            for layer in layers
        }
        train = partial(prune, model, train_loader, loss=loss, example=batch, **training)
        wanted = limit
        for _again in range(1 + CORRECTIONS):
            aim = wanted * told / unpruned  # what costs tell is off by as much as of the dense one
            settings, going_on, before = going_on, None, 0.0
            if settings is None:
                if method.own_rates:
                    settings = starting_point(method, layers, options, oracle, aim)
                else:
                    choose = partial(map_schemes, options, oracle)
                    settings, before = settle_rates(choose, dense, seconds_of, wanted, aim)
                kept.keep(settings)
            config = configuration(settings)
            if method.own_rates:
                removal = SettledRemoval(dense, seconds_of, wanted)
                config = replace(config, costs=oracle if method.takes_costs else None)
                pruned = train(method=removal.of(method), config=config)
                settings, before = reached(pruned, config), removal.seconds
            else:
                pruned = train(method=method, config=config)
            after = seconds_of(copy_module(pruned).eval())
            before = before or after  # a run that went on was timed by the one that was killed
            if after <= limit:
                break
            wanted *= limit / after
        else:
            raise NiwakiError(
                f"the network took {1e3 * before:.3g} ms before training and {1e3 * after:.3g} ms "
                f"after, where {target_ms:g} are allowed: the machine is too busy to measure, or "
                "the method removes other weights than it was told"
            )
        predicted = oracle.network(settings)
    return Limited(pruned, settings, rules, unpruned, predicted, (before, after), source)


def single(inputs: Any) -> Any:
    """The first example of a batch."""
    if isinstance(inputs, (tuple, list)):
        return tuple(map(single, inputs))
    return inputs[:1]


def _checked(
    target_ms: float,
    mapping: str,
    schemes: Sequence[str],
    model: Any,
    train_loader: Any,
    training: Mapping[str, Any],
) -> float:
    """The limit in seconds.

    Raises:
        NiwakiError: an argument is not what it must be.
    """
    number = isinstance(target_ms, Real) and not isinstance(target_ms, bool)
    if not number or not 0 < target_ms <= LONGEST_MS:
        raise NiwakiError(f"target_ms is a number of milliseconds above 0, not {target_ms!r}")
    if mapping not in MAPPINGS:
        raise NiwakiError(f"unknown mapping {mapping!r}: choose one of {', '.join(MAPPINGS)}")
    if train_loader is None:
        raise NiwakiError("a time limit needs train_loader: gradients tell what layers can lose")
    for name in ("scheme", "rate"):
        if training.get(name) is not None:
            raise NiwakiError(f"{name} is chosen for the time limit: leave it out, or target_ms")
    if not isinstance(schemes, (list, tuple)) or not schemes:
        raise NiwakiError(f"schemes is a list, as ['pattern', 'filter'], not {given(schemes)}")
    for scheme in schemes:
        parse_scheme(scheme)
    arguments = signature(prune).bind(model, train_loader, **training)
    arguments.apply_defaults()
    check_arguments(**arguments.arguments)
    steps_of(train_loader)
    return 1e-3 * float(target_ms)

"""Prune a network until a call takes at most so long: `niwaki.prune_within`.

    costs of layers  -->  scheme and rate of each layer  -->  pruned without training, and timed
                             ^                                      |
                             |___ the limit, moved by what was missed
                     -->  pruned and trained so

Methods with rates of their own get schemes alone. They are timed where they remove weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn import functional

from niwaki.costs.price import ESTIMATE, MEASURE, priced
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.module_copy import copy_module
from niwaki.network_time import timer
from niwaki.own_rates import fitting, reached, starting_point
from niwaki.pruning import PruningConfig, prune, select
from niwaki.pruning.importance import importance
from niwaki.pruning.mapping import SCHEMES, map_schemes, options_of
from niwaki.pruning.method import Method, parse_method
from niwaki.pruning.rules import Rule, find_rules, schemes_by_layer
from niwaki.pruning.training import first_inputs
from niwaki.settling import SettledRemoval, configuration, settle_rates

# How often a trained network that takes longer than it did before is pruned anew.
CORRECTIONS = 1
MAPPINGS = ("search", "rules")
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
    costs: Path | None = None,
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
        training: more arguments of `niwaki.prune`, as ``epochs`` and ``eval``.

    Raises:
        NiwakiError: no choice is within the limit (it tells the least, and what costs most), or as
            `niwaki.prune` and `niwaki.compile` do.
    """
    limit = _checked(target_ms, mapping, train_loader, training)
    method = parse_method(method)
    source = source or (MEASURE if target == "host" else ESTIMATE)
    call = single(first_inputs(train_loader)) if example is None else example
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
        aim, unpruned = limit, seconds_of(dense)
        if unpruned <= limit:
            predicted = oracle.network({})
            return Limited(dense, {}, rules, unpruned, predicted, (unpruned, unpruned), source)
        train = partial(prune, model, train_loader, loss=loss, example=example, **training)
        for _again in range(1 + CORRECTIONS):
            if method.own_rates:
                removal = SettledRemoval(dense, seconds_of, aim)
                config = starting_point(method, layers, options, oracle, aim)
                pruned = train(method=removal.of(method), config=config)
                before, settings = removal.seconds, reached(pruned, config)
            else:
                settings, before = settle_rates(
                    lambda aim: map_schemes(options, oracle, aim), dense, seconds_of, limit, aim
                )
                pruned = train(method=method, config=configuration(settings))
            after = seconds_of(copy_module(pruned).eval())
            if after <= limit:
                break
            aim *= limit / after
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


def _checked(target_ms: float, mapping: str, train_loader: Any, training: Any) -> float:
    """The limit in seconds.

    Raises:
        NiwakiError: an argument is not what it must be.
    """
    if isinstance(target_ms, bool) or not isinstance(target_ms, (int, float)) or not target_ms > 0:
        raise NiwakiError(f"target_ms is a number of milliseconds above 0, not {target_ms!r}")
    if mapping not in MAPPINGS:
        raise NiwakiError(f"unknown mapping {mapping!r}: choose one of {', '.join(MAPPINGS)}")
    if train_loader is None:
        raise NiwakiError("a time limit needs train_loader: gradients tell what layers can lose")
    for name in ("scheme", "rate"):
        if training.get(name) is not None:
            raise NiwakiError(f"{name} is chosen for the time limit: leave it out, or target_ms")
    return 1e-3 * float(target_ms)

"""Prune a network until a call takes at most so long: `niwaki.prune_within`.

    costs of layers  -->  scheme and rate of each layer  -->  pruned without training, and timed
                             ^                                      |
                             |___ the limit, moved by what was missed
                     -->  pruned and trained so

Methods with rates of their own get schemes alone. They are timed where they remove weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn
from torch.nn import functional

from niwaki.costs.price import ESTIMATE, MEASURE, priced
from niwaki.errors import NiwakiError
from niwaki.layer_costs import LayerCosts
from niwaki.module_copy import copy_module
from niwaki.pruning import PruningConfig, prune, select
from niwaki.pruning.arguments import check_training
from niwaki.pruning.importance import importance
from niwaki.pruning.layers import Layer
from niwaki.pruning.mapping import SCHEMES, options_of
from niwaki.pruning.method import Method, parse_method
from niwaki.pruning.rules import find_rules, schemes_by_layer
from niwaki.pruning.training import first_inputs

from .arguments import RULES, SEARCH, checked_limit
from .given_rates import GivenRates
from .kept_settings import KeptSettings
from .limited import Limited
from .nearness import MARGIN, timed_once, timed_twice
from .network_time import timer
from .own_rates import OwnRates, fitting
from .rounds import train_within
from .task import Task

# What any layer can have that pruning may touch at all.
ANY_LAYER: dict[str, Any] = {
    "scheme": "unstructured", "rate": 1.5, "layers": (), "budget": "layer",
}  # fmt: skip


def prune_within(
    model: nn.Module,
    train_loader: Any,
    *,
    target_ms: float,
    target: str = "host",
    source: str | None = None,
    mapping: str = SEARCH,
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
    limit = checked_limit(target_ms, mapping, schemes, model, train_loader, others)
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
        rules = find_rules(oracle) if mapping == RULES else []
        unpruned, told = seconds_of(dense), oracle.network({})
        if unpruned <= limit:
            return Limited(dense, {}, rules, unpruned, told, (unpruned, unpruned), source)
        check_training(method, train_loader, training.get("epochs", 0))
        layers = _prunable(model, config, oracle)
        if not layers:
            raise NiwakiError(
                f"no layer can be pruned, and the network takes {1e3 * unpruned:.3g} ms where "
                f"{target_ms:g} are allowed: raise the limit, or include its first or last layer"
            )
        worth, ruled = importance(model, layers, train_loader, loss), schemes_by_layer(rules)
        fit = [
            fitting([ruled[layer.name]] if layer.name in ruled else schemes, layer, method)
            for layer in layers
        ]
        options = {
            layer.name: options_of(layer, worth[layer.name], oracle, texts)
            for layer, texts in zip(layers, fit, strict=True)
        }
        task = Task(
            dense,
            layers,
            options,
            oracle,
            partial(timed_twice if source == MEASURE else timed_once, seconds_of),
            method,
            partial(prune, model, train_loader, loss=loss, example=batch, **training),
        )
        rates = OwnRates(task) if method.own_rates else GivenRates(task)
        trained, after = train_within(
            rates,
            seconds_of,
            kept,
            going_on,
            limit,
            told / unpruned,  # what costs tell is off by as much as of the dense network
            MARGIN if source == MEASURE else 0.0,
        )
        predicted, seconds = oracle.network(trained.settings), (trained.before, after)
    return Limited(trained.model, trained.settings, rules, unpruned, predicted, seconds, source)


def _prunable(model: nn.Module, config: PruningConfig | None, costs: LayerCosts) -> list[Layer]:
    """Layers that pruning may touch, and whose costs are known."""
    chosen = select(model, replace(config or PruningConfig(), **ANY_LAYER))
    return [each.layer for each in chosen if each.layer.name in costs.layers]


def single(inputs: Any) -> Any:
    """The first example of a batch."""
    if isinstance(inputs, (tuple, list)):
        return tuple(map(single, inputs))
    return inputs[:1]

"""What methods with rates of their own start from, where time is limited, and what they end with.

schemes of the mapping, rates to begin with  -->  trained  -->  rates that weights have
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from niwaki.layer_costs import AS_IT_IS, LayerCosts, Setting
from niwaki.pruning import PruningConfig, parse_scheme, select
from niwaki.pruning.layers import Layer
from niwaki.pruning.mapping import Option, map_schemes
from niwaki.pruning.method import Method
from niwaki.pruning.selection import Target, misfit


def fitting(schemes: Sequence[str], layer: Layer, method: Method) -> Sequence[str]:
    """Those that the method can prune the layer to."""
    if not method.own_rates:
        return schemes
    return [text for text in schemes if parse_scheme(text).blocks(layer.shape, layer.groups)]


def starting_point(
    method: Method,
    layers: Sequence[Layer],
    options: Mapping[str, Sequence[Option]],
    costs: LayerCosts,
    aim: float,
) -> dict[str, Setting]:
    """What a method with rates of its own starts from: schemes of layers, and their rates.

    One that asks for costs gets all layers, and how much faster the network has to be.
    """
    settings = map_schemes(options, costs, aim)
    if not method.takes_costs:
        return settings
    rate = costs.network({}) / aim
    for layer in layers:
        known = settings.get(layer.name) or options[layer.name][-1].setting
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

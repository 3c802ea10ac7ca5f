"""Costs of a network's layers that anyone can check by hand: weights that are left, at a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from niwaki.layer_costs import AS_IT_IS, LayerForm, Setting
from niwaki.pruning import find_layers


@dataclass
class ToyCosts:
    """Seconds are weights that are left x what one of the layer's costs, and `others` beside.

    Attributes:
        prices: of layers; 1 where there is none.
        asked: what was asked for.
    """

    layers: Mapping[str, LayerForm]
    prices: Mapping[str, float] = field(default_factory=dict)
    others: float = 0.0
    asked: set[tuple[str, Setting]] = field(default_factory=set)

    def seconds(self, layer: str, setting: Setting) -> float:
        self.asked.add((layer, setting))
        form = self.layers[layer]
        filters = form.filters if setting.filters is None else setting.filters
        channels = form.channels if setting.channels is None else setting.channels
        assert 1 <= filters <= form.filters
        assert 1 <= channels <= form.channels
        return self.prices.get(layer, 1.0) * filters * channels * form.taps / setting.rate

    def network(self, settings: Mapping[str, Setting]) -> float:
        times = (self.seconds(name, settings.get(name, AS_IT_IS)) for name in self.layers)
        return self.others + sum(times)


def toy_costs(model: nn.Module, others: float = 0.0, **prices: float) -> ToyCosts:
    """Of a network's layers, by names of modules; a price is given as ``_2=50`` for the layer 2."""
    forms = {layer.module: LayerForm(*layer.shape, layer.groups) for layer in find_layers(model)}
    return ToyCosts(forms, {name[1:]: price for name, price in prices.items()}, others)

"""Each layer gets a scheme and a rate so that the network is within a limit at the least damage."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from unit.pruning.tiny_task import loader, network

from niwaki.errors import NiwakiError
from niwaki.layer_costs import AS_IT_IS, LayerForm, Setting
from niwaki.pruning import find_layers
from niwaki.pruning.importance import damage, importance
from niwaki.pruning.mapping import Option, choose, map_schemes, options_of, unbeaten
from niwaki.pruning.rules import find_rules, schemes_by_layer


@dataclass(frozen=True)
class Toy:
    """Costs that are simple: weights that are kept, times what a scheme takes for each."""

    layers: Mapping[str, LayerForm]
    factors: Mapping[str, float]
    other: float = 1e-3

    def seconds(self, layer: str, setting: Setting) -> float:
        if setting.scheme not in {**self.factors, "dense": 1}:
            return math.inf
        factor = self.factors.get(setting.scheme, 1.0)
        return min(1.0, factor / setting.rate) * 1e-6 * self.layers[layer].weights

    def network(self, settings: Mapping[str, Setting]) -> float:
        times = [self.seconds(name, settings.get(name, AS_IT_IS)) for name in self.layers]
        return self.other + sum(times)


def option(seconds: float, harm: float) -> Option:
    return Option(AS_IT_IS, seconds, harm)


def test_options_that_another_beats_are_left_out() -> None:
    found = unbeaten([option(3, 0), option(2, 1), option(2, 2), option(2.5, 1.5), option(1, 4)])
    assert [(one.seconds, one.damage) for one in found] == [(3, 0), (2, 1), (1, 4)]


@settings(max_examples=60)
@given(
    layers=st.lists(
        st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    ),
    share=st.floats(0, 1),
)
def test_choices_are_within_the_limit_and_nearly_the_best(
    layers: list[list[tuple[int, int]]], share: float
) -> None:
    options = {
        str(number): unbeaten([option(*pair) for pair in pairs])
        for number, pairs in enumerate(layers)
    }
    least = sum(each[-1].seconds for each in options.values())
    most = sum(each[0].seconds for each in options.values())
    limit = least + share * (most - least)
    chosen = choose(options, limit)
    assert sum(one.seconds for one in chosen.values()) <= limit + 1e-9
    best = min(
        sum(one.damage for one in every)
        for every in itertools.product(*options.values())
        if sum(one.seconds for one in every) <= limit + 1e-9
    )
    # A multiplier finds the best of a convex hull: what it misses is at most one layer's step.
    step = max(each[-1].damage - each[0].damage for each in options.values())
    assert sum(one.damage for one in chosen.values()) <= best + step


def test_damage_is_what_the_loss_says() -> None:
    """A weight that the loss does not depend on costs nothing."""
    torch.manual_seed(0)
    model = network(0)
    layers = find_layers(model)
    with torch.no_grad():
        layers[-1].weight[:, 3] = 0  # nothing reads channel 3 of the layer before
    found = importance(model, layers, loader(), cross_entropy)
    inner = found[layers[-2].name]
    assert inner[3].max() == 0
    assert (inner >= 0).all()
    assert (inner[[0, 1, 2]] > 0).any()
    nothing = np.ones(inner.shape, np.bool_)
    assert damage(inner, nothing) == 0


@given(st.integers(2, 200), st.floats(1e-9, 1e3))
def test_the_more_a_layer_has_lost_the_more_the_next_weight_counts(count: int, each: float) -> None:
    worth = np.full((1, count, 1), each)
    found = [damage(worth, np.arange(count).reshape(worth.shape) >= k) for k in range(count + 1)]
    steps = np.diff(found)
    assert found[0] == 0
    assert (np.diff(steps) > 0).all()
    assert np.isfinite(found[-1])
    assert steps[0] == pytest.approx(np.sqrt(count * each) / count, rel=1 / (count - 1))


def test_a_layer_that_the_loss_does_not_depend_on_has_no_damage() -> None:
    assert damage(np.zeros((2, 2, 1), np.float32), np.zeros((2, 2, 1), np.bool_)) == 0


def test_gradients_leave_the_network_as_it_was() -> None:
    model = network(0).train().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    importance(model, find_layers(model), loader(), cross_entropy)
    assert model.training
    assert not any(p.requires_grad or p.grad is not None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_network_is_mapped_to_its_limit() -> None:
    model = network(0)
    layers = find_layers(model)
    costs = Toy(
        {layer.name: LayerForm(*layer.shape) for layer in layers},
        {"unstructured": 1.5, "block_punched": 1.1},
    )
    worth = importance(model, layers, loader(), cross_entropy)
    options = {
        layer.name: options_of(layer, worth[layer.name], costs, list(costs.factors))
        for layer in layers
    }
    dense = costs.network({})
    for share in (0.9, 0.6, 0.4):
        found = map_schemes(options, costs, share * dense)
        assert 0.9 * share * dense <= costs.network(found) <= share * dense
    assert map_schemes(options, costs, dense) == {}
    with pytest.raises(NiwakiError, match=r"at most 0.001 ms: the least is .* of which 1 are none"):
        map_schemes(options, costs, 1e-6)


@dataclass(frozen=True)
class Strict(Toy):
    """Each scheme has a least rate; a network with an impossible layer raises, as real costs do."""

    least: float = 1.0

    def seconds(self, layer: str, setting: Setting) -> float:
        possible = setting.scheme == "dense" or setting.rate >= self.least
        return super().seconds(layer, setting) if possible else math.inf

    def network(self, settings: Mapping[str, Setting]) -> float:
        found = super().network(settings)
        assert math.isfinite(found), "asked for a network that cannot be"
        return found


@given(
    kept=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    least=st.sampled_from([1.0, 1.5, 2.25, 4.0]),
    share=st.floats(0.3, 0.99),
)
def test_rates_between_the_tabulated_ones_are_possible(
    kept: list[int], least: float, share: float
) -> None:
    """Also where a limit leaves more time than the least rate of a scheme takes."""
    forms = {str(n): LayerForm(8, 8 * count, 9) for n, count in enumerate(kept)}
    costs = Strict(forms, {"pattern": 1.0}, other=0.0, least=least)
    options = {
        name: unbeaten([
            Option(one, costs.seconds(name, one), one.rate - 1)
            for one in (AS_IT_IS, *(Setting("pattern", rate) for rate in (least, 4.0, 8.0)))
        ])
        for name in forms
    }  # fmt: skip
    limit = share * costs.network({})
    found = map_schemes(options, costs, limit)
    assert costs.network(found) <= limit
    assert all(one.rate >= least for one in found.values())


def test_rules_take_the_finest_scheme_that_costs_little_more_than_filters() -> None:
    forms = {
        "wide": LayerForm(128, 64, 9),
        "narrow": LayerForm(16, 8, 9),
        "pointwise": LayerForm(128, 64, 1),
        "depthwise": LayerForm(16, 1, 9, groups=16),
    }
    factors = {"filter": 1.0, "unstructured": 1.6, "pattern": 1.2, "block_punched": 1.0}
    rules = find_rules(Toy(forms, factors), ["unstructured", "pattern", "block_punched"])
    assert schemes_by_layer(rules) == {
        "wide": "pattern", "narrow": "pattern", "pointwise": "pattern", "depthwise": "dense",
    }  # fmt: skip
    assert str(rules[0]) == "9 taps, 64 filters and more: pattern (1.20 of filters' time)"


def test_where_every_scheme_costs_more_the_cheapest_is_the_rule() -> None:
    factors = {"filter": 1.0, "unstructured": 2.6, "block_punched": 2.2}
    costs = Toy({"only": LayerForm(128, 64, 9)}, factors)
    (rule,) = find_rules(costs, ["unstructured", "block_punched"])
    assert (rule.scheme, round(rule.beside, 3)) == ("block_punched", 2.2)

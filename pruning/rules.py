"""Rules that map layers to schemes, read off a target's costs: no training, one scheme a kind.

    kind of layer        scheme                     beside filters at the same rate
    3x3, 64 and more     pattern                    1.11
    1x1, 64 and more     block_punched(filters=8)   1.18

The finest scheme that costs at most SHARE more than removing whole filters at the same rate: the
finer weights may be chosen, the less it costs in accuracy, and beyond that each step costs time.
https://arxiv.org/abs/2111.11581 has such rules with fixed schemes; here costs tell them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from niwaki.layer_costs import DENSE, LayerCosts, LayerForm, Setting

# More time than filters take at the same rate.
SHARE = 0.25
RATE = 6.0
# Finest first.
FINEST_FIRST = (
    "unstructured",
    "pattern",
    "block_punched(filters=4)",
    "block_punched",
    "block_punched(filters=16)",
)
WIDE = 64


@dataclass(frozen=True)
class Rule:
    """What layers of a kind become.

    Attributes:
        kind: e.g. ``9 taps, 64 filters and more``.
        scheme: for all of them; ``dense`` where nothing pays.
        beside: its time beside filters' at the same rate, in the mean of the layers.
        layers: their names.
    """

    kind: str
    scheme: str
    beside: float
    layers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {self.scheme} ({self.beside:.2f} of filters' time)"


def kind_of(form: LayerForm) -> str:
    """Layers for which the same scheme is right."""
    if form.is_depthwise:
        return "depthwise"
    width = f"{WIDE} filters and more" if form.filters >= WIDE else f"fewer than {WIDE} filters"
    return f"{form.taps} tap{'s' * (form.taps > 1)}, {width}"


def find_rules(
    costs: LayerCosts, schemes: Sequence[str] = FINEST_FIRST, rate: float = RATE
) -> list[Rule]:
    """A rule for each kind of layer in a network; `schemes` are from finest to coarsest."""
    kinds: dict[str, list[str]] = {}
    for name, form in costs.layers.items():
        kinds.setdefault(kind_of(form), []).append(name)
    return [_rule(kind, names, costs, schemes, rate) for kind, names in kinds.items()]


def schemes_by_layer(rules: Sequence[Rule]) -> Mapping[str, str]:
    """The scheme of each layer."""
    return {name: rule.scheme for rule in rules for name in rule.layers}


def _rule(
    kind: str, names: Sequence[str], costs: LayerCosts, schemes: Sequence[str], rate: float
) -> Rule:
    if kind == "depthwise":
        return Rule(kind, DENSE, 1.0, tuple(names))
    ratios = {
        scheme: geometric_mean(
            costs.seconds(name, Setting(scheme, rate))
            / costs.seconds(name, Setting("filter", rate))
            for name in names
        )
        for scheme in schemes
        if all(math.isfinite(costs.seconds(name, Setting(scheme, rate))) for name in names)
    }
    if not ratios:
        return Rule(kind, DENSE, 1.0, tuple(names))
    found = next((scheme for scheme, ratio in ratios.items() if ratio <= 1 + SHARE), None)
    scheme = found or min(ratios, key=lambda each: ratios[each])
    return Rule(kind, scheme, ratios[scheme], tuple(names))

"""Random settings of networks: a scheme, a rate and widths of each layer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from niwaki.costs.oracle import Oracle
from niwaki.costs.trials import fits
from niwaki.layer_costs import Setting

SCHEMES = ("dense", "block_punched", "pattern", "unstructured")
# Spaces of channels that each layer writes and reads.
Spaces = Mapping[str, tuple[int | None, int | None]]


def configuration(number: int, oracle: Oracle, spaces: Spaces) -> dict[str, Setting]:
    """The one of this number, the same each time; odd ones are narrower as well."""
    settings = draw(oracle, random.Random(number))
    if number % 2:
        settings = narrowed(settings, oracle, spaces, random.Random(number))
    return settings


def draw(oracle: Oracle, generator: random.Random) -> dict[str, Setting]:
    """A scheme and a rate for each layer that can have them."""
    found = {}
    for name, form in oracle.layers.items():
        setting = Setting(generator.choice(SCHEMES), round(2 ** generator.uniform(0.5, 4), 2))
        if setting.scheme != "dense" and not form.is_depthwise and fits(setting, form):
            found[name] = setting
    return found


def free_channels(model: Any, example: Any) -> Spaces:
    """Spaces of channels that each layer writes and reads, of those that can lose some."""
    from niwaki.pruning.channel_watch import watch_channels

    graph = watch_channels(model, example)
    names = {id(module): name for name, module in model.named_modules()}

    def space(runs: Any) -> int | None:
        one = runs[0] if runs and len(runs) == 1 else None
        return None if one is None or one.repeat > 1 or one.space in graph.whole else one.space

    return {names[id(unit.conv)]: (space(unit.writes), space(unit.reads)) for unit in graph.units}


def narrowed(
    settings: Mapping[str, Setting],
    oracle: Oracle,
    spaces: Spaces,
    generator: random.Random,
) -> dict[str, Setting]:
    """The same with 40 % to all of the channels of each space."""
    known = sorted({space for pair in spaces.values() for space in pair if space is not None})
    shares = {space: generator.uniform(0.4, 1) for space in known}
    found = dict(settings)
    for name, (writes, reads) in spaces.items():
        form = oracle.layers.get(name)
        if form is None or (form.groups > 1 and not form.is_depthwise):
            continue
        filters = None if writes is None else max(1, round(shares[writes] * form.filters))
        channels = None if reads is None else max(1, round(shares[reads] * form.channels))
        channels = None if form.is_depthwise else channels
        narrow = replace(settings.get(name, Setting()), filters=filters, channels=channels)
        left = replace(form, filters=filters or form.filters, channels=channels or form.channels)
        found[name] = narrow if fits(narrow, left) else replace(narrow, scheme="dense", rate=1.0)
    return found

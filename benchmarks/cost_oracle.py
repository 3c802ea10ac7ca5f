"""Predicted against measured times of networks: random schemes, rates and widths of each layer.

Half of the configurations also keep a random part of the channels of each space that can lose any.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from figure import Figure
from machine import pin
from models import MODELS
from workloads import PrunedTransformer

from niwaki.costs.observation import on_host
from niwaki.costs.oracle import Oracle
from niwaki.costs.price import priced
from niwaki.costs.trials import fits
from niwaki.layer_costs import Setting

NETWORKS = ("resnet18", "mobilenet_v2", "transformer")
SCHEMES = ("dense", "block_punched", "pattern", "unstructured")
LEAST_CORRELATION, MOST_MEDIAN, MOST_WORST = 0.98, 7.0, 20.0
LEAST_QUERIES, TURNS = 10_000, 50


def measure(network: str, folder: Path, count: int, core: int) -> list[Figure]:
    """How well `count` configurations of a network are predicted, on one core."""
    pin([core])
    model, example = built(network)
    folder.mkdir(parents=True, exist_ok=True)
    predicted, measured = [], []
    asking = 0.0
    # Without what an earlier run of another state of the machine has measured.
    (path := folder / f"costs-{network}.sqlite").unlink(missing_ok=True)
    with priced(model, example, schemes=SCHEMES, costs=path) as oracle:
        spaces, dense = free_channels(model, example), oracle.network({})
        for number in range(count):
            settings = draw(oracle, random.Random(number))
            if number % 2:
                settings = narrowed(settings, oracle, spaces, random.Random(number))
            bundle = oracle.subject.compiled(settings, folder / f"cost-{network}.niwaki")
            measured.append(on_host(bundle).seconds)
            begin = time.perf_counter()
            predicted.append(oracle.network(settings))
            asking += time.perf_counter() - begin
        queries = queries_in_a_second(oracle)
    off = 100 * np.abs(np.array(predicted) / np.array(measured) - 1)
    return [
        Figure("configurations", count),
        Figure("dense, predicted", 1e3 * dense, "ms"),
        Figure("fastest, measured", 1e3 * min(measured), "ms"),
        Figure(
            "rank correlation", rank_correlation(predicted, measured), "", None, LEAST_CORRELATION
        ),
        Figure("median error", float(np.median(off)), "%", MOST_MEDIAN),
        Figure("largest error", float(off.max()), "%", MOST_WORST),
        Figure("queries for a layer in a second, asked again", queries, "", None, LEAST_QUERIES),
        Figure("a network's query, settings that are new", 1e3 * asking / count, "ms"),
    ]


def queries_in_a_second(oracle: Oracle) -> float:
    """Answers for single layers in settings that were asked for before."""
    known = [pair for seed in range(10) for pair in draw(oracle, random.Random(seed)).items()]
    for name, setting in known:
        oracle.seconds(name, setting)
    begin = time.perf_counter()
    for _ in range(TURNS):
        for name, setting in known:
            oracle.seconds(name, setting)
    return TURNS * len(known) / (time.perf_counter() - begin)


def built(network: str) -> tuple[Any, Any]:
    """The network and its example inputs."""
    if network in MODELS:
        return MODELS[network]()
    model, inputs = PrunedTransformer(1).build()
    return model, (inputs[:1],)


def draw(oracle: Oracle, generator: random.Random) -> dict[str, Setting]:
    """A scheme and a rate for each layer that can have them."""
    found = {}
    for name, form in oracle.layers.items():
        setting = Setting(generator.choice(SCHEMES), round(2 ** generator.uniform(0.5, 4), 2))
        if setting.scheme != "dense" and not form.is_depthwise and fits(setting, form):
            found[name] = setting
    return found


def free_channels(model: Any, example: Any) -> Mapping[str, tuple[int | None, int | None]]:
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
    spaces: Mapping[str, tuple[int | None, int | None]],
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


def rank_correlation(first: list[float], second: list[float]) -> float:
    """Spearman's; no two of either are equal."""
    one, other = (np.argsort(np.argsort(values)) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])

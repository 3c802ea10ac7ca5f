"""Predicted against measured times of networks: random schemes, rates and widths of each layer.

Half of the configurations also keep a random part of the channels of each space that can lose any.
Measured times are kept in a file as they come, so that a run that was stopped goes on; costs are
asked anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cost_settings import SCHEMES, configuration, draw, free_channels
from figure import Figure
from machine import ahead_of_others, pin
from measured_times import MeasuredTimes
from models import MODELS
from workloads import PrunedTransformer

from niwaki.costs.observation import TURNS, Observation, Observer, emulated, on_host
from niwaki.costs.oracle import Oracle
from niwaki.costs.price import ESTIMATE, priced
from niwaki.costs.trials import observe, trials
from niwaki.layer_costs import Setting
from niwaki.progress import Progress
from niwaki.runtime.bundle import Bundle
from niwaki.runtime.measure import bench

NETWORKS = ("resnet18", "mobilenet_v2", "transformer")
COUNTED = "resnet20"  # by model cycles, which take long
LEAST_CORRELATION, MOST_MEDIAN, MOST_WORST = 0.98, 7.0, 20.0
LEAST_QUERIES, REPEATS = 10_000, 50
WARMUP, CALLS = 10, 60
# A search that trains nothing: so many settings of a network.
SEARCHED, TRIALS, MOST_SEARCHING = "resnet50", 100, 10.0


@dataclass(frozen=True)
class Clock:
    """Who tells how long networks take.

    Attributes:
        target: that they are compiled for.
        observer: tells it by layers.
        seconds: of a whole call.
        turns: how often it is asked; what is counted is the same each time.
    """

    target: str
    observer: Observer
    seconds: Callable[[Bundle], float]
    turns: int = 1


def measure(network: str, folder: Path, count: int, core: int, clock: Clock) -> list[Figure]:
    """How well `count` configurations of a network are predicted, on one core."""
    pin([core])
    model, example = built(network)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"cost-{network}-{clock.target}"
    times = MeasuredTimes(kept.with_suffix(".json"))
    with priced(
        model, example, target=clock.target, source=ESTIMATE, costs=kept.with_suffix(".sqlite")
    ) as plain:
        wanted = trials(plain.layers, SCHEMES)
        seen = observe(plain.subject, plain.store, wanted, clock.observer, Progress(), clock.turns)
        oracle, spaces = (
            Oracle(plain.subject, plain.store, wanted, seen),
            free_channels(model, example),
        )
        settings = [configuration(number, oracle, spaces) for number in range(count)]
        _measure(oracle, settings, times, folder, clock)
        turns = [times.of(number) for number in range(count)]
        predicted = [oracle.network(one) for one in settings]
        queries, dense = queries_in_a_second(oracle), oracle.network({})
    measured = [min(each) for each in turns]
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
        *(_noise(turns) if clock.turns > 1 else ()),
        Figure("queries for a layer in a second, asked again", queries, "", None, LEAST_QUERIES),
    ]


def searching(folder: Path, core: int) -> list[Figure]:
    """Seconds in which settings of a large network are priced, none of which was asked before."""
    pin([core])
    folder.mkdir(parents=True, exist_ok=True)
    model, example = MODELS[SEARCHED]()
    with priced(model, example, source=ESTIMATE, costs=folder / "costs-searching.sqlite") as oracle:
        settings = [draw(oracle, random.Random(number)) for number in range(2 * TRIALS)]
        first = _seconds(lambda: [oracle.network(one) for one in settings[:TRIALS]])
        others = _seconds(lambda: [oracle.network(one) for one in settings[TRIALS:]])
    return [
        Figure(f"{TRIALS} trials, kernels estimated on the way", first, "s"),
        Figure(f"{TRIALS} other trials", others, "s", MOST_SEARCHING),
    ]


def _seconds(work: Callable[[], Any]) -> float:
    """Of the processor: others may have it in between."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _noise(turns: list[list[float]]) -> list[Figure]:
    """How unlike the first and the last time are: no prediction can be nearer than that."""
    first, last = [each[0] for each in turns], [each[-1] for each in turns]
    between = [100 * abs(one / other - 1) for one, other in zip(first, last, strict=True)]
    return [
        Figure("rank correlation of first and last time measured", rank_correlation(first, last)),
        Figure("median difference of the two", median(between), "%"),
    ]


def _measure(
    oracle: Oracle,
    settings: list[dict[str, Setting]],
    times: MeasuredTimes,
    folder: Path,
    clock: Clock,
) -> None:
    """Time networks when they are compiled, and again after the next ones.

    What takes caches and memory away does so for seconds: two times at once would both be
    disturbed.
    """
    waiting: list[tuple[int, Bundle]] = []
    for number, one in enumerate(settings):
        if len(times.of(number)) >= clock.turns:
            continue
        path = folder / f"cost-{number % clock.turns}.niwaki"
        waiting = [*waiting, (number, oracle.subject.compiled(one, path))][-clock.turns :]
        _time(waiting, times, clock)
    for left in range(1, len(waiting)):
        _time(waiting[left:], times, clock)


def _time(waiting: list[tuple[int, Bundle]], times: MeasuredTimes, clock: Clock) -> None:
    for number, bundle in waiting:
        times.note(number, clock.seconds(bundle))


def _observed(bundle: Bundle) -> Observation:
    with ahead_of_others():
        return on_host(bundle)


def _timed(bundle: Bundle) -> float:
    with ahead_of_others(), bundle.load(1) as network:
        return bench(network, WARMUP, CALLS).median


HOST = Clock("host", _observed, _timed, TURNS)
PHONE = Clock("arm64-android", emulated, lambda bundle: emulated(bundle).seconds)


def queries_in_a_second(oracle: Oracle) -> float:
    """Answers for single layers in settings that were asked for before."""
    known = [pair for seed in range(10) for pair in draw(oracle, random.Random(seed)).items()]
    for name, setting in known:
        oracle.seconds(name, setting)
    begin = time.perf_counter()
    for _ in range(REPEATS):
        for name, setting in known:
            oracle.seconds(name, setting)
    return REPEATS * len(known) / (time.perf_counter() - begin)


def built(network: str) -> tuple[Any, Any]:
    """The network and its example inputs."""
    if network in MODELS:
        return MODELS[network]()
    model, inputs = PrunedTransformer(1).build()
    return model, (inputs[:1],)


def rank_correlation(first: list[float], second: list[float]) -> float:
    """Spearman's; no two of either are equal."""
    one, other = (np.argsort(np.argsort(values)) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])

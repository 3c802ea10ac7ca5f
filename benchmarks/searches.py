"""What a search costs beside training: choosing points, keeping trials, sharing them out.

The space is that of pruning a network of 53 convolutions, as ResNet-50 has: a scheme and a rate for
each. What a layer loses and costs is made up, and quickly computed.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from figure import Figure
from worker import in_fresh_process

import niwaki
from niwaki.studies import Choice, Integer, Limit, Point

LAYERS, LIMIT = 53, 0.45
TRIALS, MOST_SECONDS = 100, 10.0
SAMPLERS = ("random", "evolution", "tpe", "controller")
SEEDS = 3
# How much each scheme loses for each doubling of its rate, and its time beside what it should take.
SCHEMES = {"dense": (0.0, 1.0), "pattern": (0.6, 1.33), "block": (1.0, 1.1), "filter": (1.6, 1.0)}
RATES = (1, 2, 4, 6, 8, 12)
LEAST_GAIN = 1.8
TRAINED, STEPS = 24, 10_000_000


@dataclass(frozen=True)
class Network:
    """A made-up network: what each layer loses when it is pruned, and its share of the time."""

    sensitivities: list[float]
    shares: list[float]

    @classmethod
    def made(cls, layers: int, seed: int) -> Network:
        draw = random.Random(seed)
        work = [0.2 + draw.random() for _ in range(layers)]
        return cls([draw.random() ** 2 for _ in work], [one / sum(work) for one in work])

    def space(self) -> dict[str, Choice]:
        dimensions = {"scheme": Choice(*SCHEMES), "rate": Choice(*RATES)}
        return {
            f"layer{i}.{name}": dimension
            for i in range(len(self.shares))
            for name, dimension in dimensions.items()
        }

    def score(self, point: Point) -> float:
        """Minus what is lost, on average over layers."""
        return -sum(
            sensitivity * SCHEMES[scheme][0] * math.log2(rate)
            for sensitivity, (scheme, rate) in zip(self.sensitivities, _pairs(point), strict=True)
        ) / len(self.shares)

    def cost(self, point: Point) -> dict[str, float]:
        """Of each layer, as a share of the dense network's time."""
        return {
            f"layer{i}": share * (1 if scheme == "dense" else SCHEMES[scheme][1] / rate)
            for i, (share, (scheme, rate)) in enumerate(
                zip(self.shares, _pairs(point), strict=True)
            )
        }


def _pairs(point: Point) -> list[tuple[str, float]]:
    values = list(point.values())
    return [
        (str(scheme), float(rate or 1))
        for scheme, rate in zip(values[::2], values[1::2], strict=True)
    ]


def measure(core: int, folder: Path) -> list[Figure]:
    """Seconds and results of studies without training, on one core; what two workers gain."""
    return [*in_fresh_process(_samplers, core, folder), *in_fresh_process(_gain)]


def _samplers(core: int, folder: Path) -> list[Figure]:
    os.sched_setaffinity(0, {core})
    folder.mkdir(parents=True, exist_ok=True)
    figures = []
    for sampler in SAMPLERS:
        seconds, best = zip(*(_study(sampler, seed, folder) for seed in range(SEEDS)), strict=True)
        figures.append(Figure(f"{TRIALS} trials, {sampler}", max(seconds), "s", MOST_SECONDS))
        figures.append(Figure(f"best score, {sampler}", sum(best) / SEEDS))
    return figures


def _study(sampler: str, seed: int, folder: Path) -> tuple[float, float]:
    """Seconds of a study that is kept in a file, and the best score."""
    network, file = Network.made(LAYERS, seed), folder / "search.sqlite"
    file.unlink(missing_ok=True)
    started = time.perf_counter()
    found = niwaki.search(
        network.space(),
        None,
        network.score,
        [Limit("time", LIMIT, network.cost)],
        trials=TRIALS,
        sampler=sampler,
        storage=file,
        seed=seed,
    )
    return time.perf_counter() - started, found.best.objective


def _gain() -> list[Figure]:
    """By how much two workers are faster than one, and plain processes beside them."""
    searched = _seconds(_search, 1) / _seconds(_search, 2)
    plain = _seconds(_plain, 1) / _seconds(_plain, 2)
    return [
        Figure("one worker / two", searched, "", at_least=LEAST_GAIN),
        Figure("one process / two, without a search", plain),
    ]


def _search(workers: int) -> None:
    space = {"number": Integer(1, 10**6)}
    niwaki.search(space, count_up, number, trials=TRAINED, workers=workers, sampler="random")


def _plain(processes: int) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        list(pool.map(count_up, [{}] * TRAINED))


def _seconds(run: Callable[[int], None], processes: int) -> float:
    started = time.perf_counter()
    run(processes)
    return time.perf_counter() - started


def count_up(point: Point) -> Point:
    """What stands for training: a loop that needs a core."""
    total = 0
    for one in range(STEPS):
        total += one
    return point


def number(point: Point) -> float:
    """What stands for evaluation."""
    return float(point["number"] or 0)

"""Limits in milliseconds, and what networks take that `niwaki.prune_within` has pruned to them.

Weights are random ones and stay untrained: which of them are zero decides about time. Each pruned
network is compiled anew and timed beside a small one that stays in the caches, which says how fast
the machine is just then. While something is timed nothing else has its core.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

import numpy as np
import torch
from cifar_resnet import resnet20
from figure import Figure
from machine import ahead_of_others, pin
from mobilenet_v2 import mobilenet_v2
from training.tasks import TASKS
from vgg import vgg16_cifar

import niwaki
from niwaki.runtime import beside
from niwaki.time_limit.clock import Clock, steady_clock

NETWORKS: dict[str, Callable[[], Any]] = {
    "fashion_mnist": lambda: (
        TASKS["fashion_mnist"].network().eval(),
        (torch.randn(1, 1, 28, 28),),
    ),
    "resnet20": resnet20,
    "vgg16_cifar": vgg16_cifar,
    "mobilenet_v2": partial(mobilenet_v2, 96),
}
LARGEST, SMALLEST = 0.85, 0.3  # shares of the dense network's time
MOST_BELOW = 5.0  # percent
CLASSES, BATCHES = 10, 4

Given = ParamSpec("Given")
Found = TypeVar("Found")


def measure(network: str, folder: Path, count: int, core: int) -> list[Figure]:
    """How near `count` limits a network's pruned versions come, on one core."""
    pin([core])
    folder.mkdir(parents=True, exist_ok=True)
    seconds_of, share_of = _ahead(beside.seconds_of), _ahead(beside.share_of)
    with patch.multiple(beside, seconds_of=seconds_of, share_of=share_of), steady_clock() as clock:
        off = _missed_by(network, folder, count, clock)
    return [
        Figure("limits", count),
        Figure("mean, from the limit", float(np.mean(off)), "%"),
        Figure("nearest or above", max(off), "%", at_most=0.0),
        Figure("farthest below", min(off), "%", at_least=-MOST_BELOW),
        Figure("within", sum(-MOST_BELOW <= one <= 0 for one in off), "limits", None, count),
    ]


def _missed_by(network: str, folder: Path, count: int, clock: Clock) -> list[float]:
    """Percent of each limit by which the network takes more."""
    torch.manual_seed(0)
    model, (example,) = NETWORKS[network]()
    batches = [
        (torch.randn_like(example), torch.randint(CLASSES, (len(example),))) for _ in range(BATCHES)
    ]
    prune = partial(
        niwaki.prune_within,
        model,
        batches,
        method="magnitude",
        example=example,
        costs=folder / "costs-limits.sqlite",
        progress=False,
    )
    dense = 1e3 * prune(target_ms=1e9).dense
    off = []
    for share in np.geomspace(LARGEST, SMALLEST, count):
        limit = float(share) * dense
        limited = prune(target_ms=limit)
        path = folder / "limits.niwaki"
        taken = 1e3 * clock(niwaki.compile(limited.model, (example,), output=path))
        off.append(100 * (taken / limit - 1))
        print(f"{network}: {limit:.4f} ms, {limited}; {off[-1]:+.2f} %", flush=True)
    return off


def _ahead(measure: Callable[Given, Found]) -> Callable[Given, Found]:
    def ahead(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        with ahead_of_others():
            return measure(*args, **kwargs)

    return ahead

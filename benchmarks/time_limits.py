"""Limits in milliseconds, and what networks take that `niwaki.prune_within` has pruned to them.

Weights are random ones and stay untrained: which of them are zero decides about time. Each pruned
network is compiled anew and timed in turns with the dense one, which says how fast the machine is
just then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from cifar_resnet import resnet20
from figure import Figure
from machine import pin
from mobilenet_v2 import mobilenet_v2
from resnet import resnet18
from vgg import vgg16_cifar

import niwaki
from niwaki.runtime.measure import bench
from niwaki.runtime.network import Network

NETWORKS: dict[str, Callable[[], Any]] = {
    "resnet20": resnet20,
    "vgg16_cifar": vgg16_cifar,
    "mobilenet_v2": partial(mobilenet_v2, 96),
    "resnet18": partial(resnet18, 96),
}
LARGEST, SMALLEST = 0.85, 0.3  # shares of the dense network's time
MOST_BELOW = 5.0  # percent
CLASSES, BATCHES = 10, 4
ROUNDS, CALLS, WARMUP = 9, 30, 5


def measure(network: str, folder: Path, count: int, core: int) -> list[Figure]:
    """How near `count` limits a network's pruned versions come, on one core."""
    pin([core])
    folder.mkdir(parents=True, exist_ok=True)
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
        taken = 1e3 * limited.dense * _beside(limited.model, model, example, folder)
        off.append(100 * (taken / limit - 1))
    return [
        Figure("limits", count),
        Figure("dense", dense, "ms"),
        Figure("mean, from the limit", float(np.mean(off)), "%"),
        Figure("nearest or above", max(off), "%", at_most=0.0),
        Figure("farthest below", min(off), "%", at_least=-MOST_BELOW),
        Figure("within", sum(-MOST_BELOW <= one <= 0 for one in off), "limits", None, count),
    ]


def _beside(pruned: Any, dense: Any, example: Any, folder: Path) -> float:
    """What a call of the pruned network takes, where one of the dense network takes 1."""
    paths = [folder / f"limits-{name}.niwaki" for name in ("pruned", "dense")]
    for path, module in zip(paths, (pruned, dense), strict=True):
        niwaki.compile(module, (example,), output=path)
    with niwaki.load(paths[0], threads=1) as one, niwaki.load(paths[1], threads=1) as other:
        return median(_seconds(one) / _seconds(other) for _ in range(ROUNDS))


def _seconds(network: Network) -> float:
    return bench(network, WARMUP, CALLS).median

"""Layers and networks on a Vulkan device, pruned and dense, beside the code that IREE makes.

Here the device is Mesa's lavapipe, whose threads are its own: what counts is the CPU time of the
process, of one of them, and of that the ratios.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from figure import Figure
from torch import nn
from worker import in_fresh_process
from workloads import LayerChain, PrunedNetwork

import niwaki

ROUNDS = 5
RATE = 8
# Layers of a chain, which share what a call costs, and the copies into the layout and out of it.
DEPTH = 8
# Times faster: our dense kernel than IREE's code.
DENSE_FASTER = 1.0
# All that a bundle has to go through: then IREE compiles the network itself.
IREE_ALONE = "builtin.module(sparse-pattern-emit-iree)"
IREE, OURS, PRUNED = "IREE, dense", "dense", f"{RATE}x"


@dataclass(frozen=True)
class Subject:
    """What is timed in each form.

    Attributes:
        build: gives a model for a rate, and inputs for it; 1 is dense.
        forms: of `IREE`, `OURS` and `PRUNED`.
        layers: that a call's time is divided by.
        goals: how many times longer the first form takes than the second, at least.
    """

    build: Callable[[float], tuple[nn.Module, torch.Tensor]]
    forms: tuple[str, ...]
    layers: int = 1
    goals: tuple[tuple[str, str, float], ...] = ((IREE, OURS, DENSE_FASTER),)


def chain(filters: int, size: int, depth: int = DEPTH) -> Subject:
    """Of 3x3 layers. IREE's code, which takes seconds a layer, is timed for one of them alone."""
    forms = (OURS, PRUNED) if depth > 1 else (IREE, OURS, PRUNED)
    goals = ((OURS, PRUNED, 4.0),) if depth > 1 else ((IREE, OURS, DENSE_FASTER),)

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        model, inputs = LayerChain(filters, size, rate, depth).build()
        return model, inputs[:1]

    return Subject(build, forms, depth, goals)


def network(
    name: str, forms: tuple[str, ...], goals: tuple[tuple[str, str, float], ...] = ()
) -> Subject:
    """A whole one. IREE's code of it compiles for many minutes when it is first called."""

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        model, inputs = PrunedNetwork(name, rate).build()
        return model, inputs[:1]

    return Subject(build, forms, goals=goals)


def layer(module: nn.Module, *shape: int) -> Subject:
    """One that stays dense, with an activation."""
    model = nn.Sequential(module, nn.ReLU()).eval()
    return Subject(lambda rate: (model, torch.randn(shape)), (IREE, OURS))


SUBJECTS: dict[str, Subject] = {
    "conv-128-28": chain(128, 28, 1),
    "conv-64-56": chain(64, 56, 1),
    "chain-128-28": chain(128, 28),
    "chain-64-56": chain(64, 56),
    "depthwise-144-56": layer(nn.Conv2d(144, 144, 3, 1, 1, groups=144), 1, 144, 56, 56),
    "linear-512x1000": layer(nn.Linear(512, 1000), 1, 512),
    "linear-768x3072-64-rows": layer(nn.Linear(768, 3072), 64, 768),
    "resnet18": network("resnet18", (OURS, PRUNED)),
    "mobilenet_v2": network("mobilenet_v2", (OURS, PRUNED)),
    "iree-resnet18": network("resnet18", (IREE, PRUNED), ((IREE, PRUNED, 4.0),)),
    "iree-mobilenet_v2": network("mobilenet_v2", (IREE, PRUNED), ((IREE, PRUNED, 3.0),)),
}
NAMES = tuple(SUBJECTS)


def measure(name: str, folder: Path, core: int) -> list[Figure]:
    """CPU milliseconds of a call or a layer in each form, calls of all taking turns."""
    folder.mkdir(parents=True, exist_ok=True)
    times: dict[str, float] = in_fresh_process(_measure, name, folder, core)
    figures = [Figure(form, value, "ms") for form, value in times.items()]
    for slow, fast, wanted in SUBJECTS[name].goals:
        faster = times[slow] / times[fast]
        figures.append(Figure(f"{fast}: times faster than {slow}", faster, at_least=wanted))
    return figures


def _measure(name: str, folder: Path, core: int) -> dict[str, float]:
    # Read when the driver is loaded, which has this one thread beside the caller.
    os.environ["LP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, [core])
    torch.manual_seed(0)
    subject = SUBJECTS[name]
    networks = {form: compiled(subject, form, folder) for form in subject.forms}
    taken: dict[str, list[float]] = {form: [] for form in networks}
    for number in range(ROUNDS + 1):
        for form, (network, inputs) in networks.items():
            begin = time.process_time()
            network(inputs)
            if number:  # the first call compiles shaders
                spent = time.process_time() - begin
                taken[form].append(1e3 * spent / subject.layers)
    return {form: statistics.median(times) for form, times in taken.items()}


def compiled(subject: Subject, form: str, folder: Path) -> tuple[Any, Any]:
    """A network for the baseline, and its input."""
    model, x = subject.build(RATE if form == PRUNED else 1)
    options: dict[str, Any] = {"pipeline": IREE_ALONE} if form == IREE else {}
    path = folder / "net.niwaki"
    # Not compared with PyTorch: depthwise layers are wrong in IREE's code.
    niwaki.compile(model, x, target="vulkan", output=path, golden=False, **options)
    return niwaki.load(path), x.numpy()

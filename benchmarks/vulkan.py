"""Layers and networks on a Vulkan device, pruned and dense, beside the code that IREE makes.

Here the device is Mesa's lavapipe: what counts is the CPU time of its thread that runs shaders
(`shader_time`), and of that the ratios.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import masks
import torch
from figure import Figure
from layer_sums import IREE_ALONE, LayerTime, layer_times
from recurrent import PrunedRecurrent
from shader_time import shader_seconds
from torch import nn
from worker import in_fresh_process
from workloads import LayerChain, PrunedNetwork

import niwaki
from niwaki.passes.pipelines import UNROLL, compile_pipeline
from niwaki.targets import get_target

ROUNDS = 5
RATE = 8
# Layers of a chain, which share what a call costs, and the copies into the layout and out of it.
DEPTH = 8
# Times faster: our dense kernel than IREE's code.
DENSE_FASTER = 1.0
IREE, OURS, PRUNED = "IREE, dense", "dense", f"{RATE}x"
STEPS, PRUNED_STEPS = "dense, step by step", f"{RATE}x, step by step"
# Of the forms that are not compiled as usual.
UNROLLED = compile_pipeline(get_target("vulkan")).replace(UNROLL, f"{UNROLL}{{always=true}}")
PIPELINES = {IREE: IREE_ALONE, STEPS: UNROLLED, PRUNED_STEPS: UNROLLED}


@dataclass(frozen=True)
class Subject:
    """What is timed in each form.

    Attributes:
        build: gives a model for a rate, and inputs for it; 1 is dense.
        forms: of `IREE`, `OURS` and `PRUNED`; of recurrent layers also with each step alone.
        layers: that a call's time is divided by.
        goals: how many times longer the first form takes than the second, at least.
        sum_goal: how many times longer IREE takes for the dense layers one by one than the pruned
            network, at least; None does not ask.
    """

    build: Callable[[float], tuple[nn.Module, torch.Tensor]]
    forms: tuple[str, ...]
    layers: int = 1
    goals: tuple[tuple[str, str, float], ...] = ((IREE, OURS, DENSE_FASTER),)
    sum_goal: float | None = None


def chain(filters: int, size: int, depth: int = DEPTH) -> Subject:
    """Of 3x3 layers. IREE's code, which takes seconds a layer, is timed for one of them alone."""
    forms = (OURS, PRUNED) if depth > 1 else (IREE, OURS, PRUNED)
    goals = ((OURS, PRUNED, 4.0),) if depth > 1 else ((IREE, OURS, DENSE_FASTER),)

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        model, inputs = LayerChain(filters, size, rate, depth).build()
        return model, inputs[:1]

    return Subject(build, forms, depth, goals)


def network(name: str, sum_goal: float) -> Subject:
    """A whole one, beside IREE's layers of it: lavapipe takes too long to prepare the whole."""

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        model, inputs = PrunedNetwork(name, rate).build()
        return model, inputs[:1]

    return Subject(build, (OURS, PRUNED), goals=(), sum_goal=sum_goal)


def layer(module: nn.Module, *shape: int) -> Subject:
    """One that stays dense, with an activation."""
    model = nn.Sequential(module, nn.ReLU()).eval()
    return Subject(lambda rate: (model, torch.randn(shape)), (IREE, OURS))


def linear(inputs: int, filters: int, rows: int) -> Subject:
    """One of some rows, also pruned: blocks of filters keep columns."""

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        torch.manual_seed(0)
        layer = nn.Linear(inputs, filters)
        weights = layer.weight.detach().numpy()
        if rate > 1:
            weights *= masks.block_punched(weights[..., None], rate)[..., 0]
        return nn.Sequential(layer, nn.ReLU()).eval(), torch.randn(rows, inputs)

    return Subject(build, (IREE, OURS, PRUNED))


def recurrent(units: int, steps: int) -> Subject:
    """A GRU on one sequence; each step alone is a dispatch for the product and one for the cell.

    IREE's shaders for it are not ready in eight minutes.
    """

    def build(rate: float) -> tuple[nn.Module, torch.Tensor]:
        module, _ = PrunedRecurrent("GRU", 64, units, 1, steps, rate).build()
        return module, torch.randn(1, steps, 64 + units)

    return Subject(build, (STEPS, OURS, PRUNED_STEPS, PRUNED), goals=())


SUBJECTS: dict[str, Subject] = {
    "conv-128-28": chain(128, 28, 1),
    "conv-64-56": chain(64, 56, 1),
    "chain-128-28": chain(128, 28),
    "chain-64-56": chain(64, 56),
    "depthwise-144-56": layer(nn.Conv2d(144, 144, 3, 1, 1, groups=144), 1, 144, 56, 56),
    "linear-512x1000": linear(512, 1000, 1),
    "linear-768x3072-64-rows": linear(768, 3072, 64),
    "projection-768x768-128-rows": linear(768, 768, 128),
    "gru-256-20-steps": recurrent(256, 20),
    "resnet18": network("resnet18", 4.0),
    "mobilenet_v2": network("mobilenet_v2", 3.0),
}
NAMES = tuple(SUBJECTS)


def measure(name: str, folder: Path, core: int) -> list[Figure]:
    """Milliseconds of a call's or a layer's shaders in each form, calls of all taking turns."""
    folder.mkdir(parents=True, exist_ok=True)
    times: dict[str, float] = in_fresh_process(_measure, name, folder, core)
    figures = [Figure(form, value, "ms") for form, value in times.items()]
    for slow, fast, wanted in SUBJECTS[name].goals:
        faster = times[slow] / times[fast]
        figures.append(Figure(f"{fast}: times faster than {slow}", faster, at_least=wanted))
    sum_goal = SUBJECTS[name].sum_goal
    if sum_goal is not None:
        figures += sum_figures(name, folder, core, times, sum_goal)
    return figures


def sum_figures(
    name: str, folder: Path, core: int, times: dict[str, float], wanted: float
) -> list[Figure]:
    """IREE's layers beside the pruned network. Those that are not ready in time count nothing."""
    layers = in_fresh_process(_sum, name, folder, core)
    ready = sum(one.count * one.seconds for one in layers if one.seconds is not None)
    left_out = sum(one.count for one in layers if one.seconds is None)
    faster = 1e3 * ready / times[PRUNED]
    return [
        Figure("IREE, dense: layers one by one", 1e3 * ready, "ms"),
        Figure("of its layers left out, which did not compile in time", left_out, ""),
        Figure(f"{PRUNED}: times faster than IREE's layers", faster, at_least=wanted),
    ]


def _sum(name: str, folder: Path, core: int) -> list[LayerTime]:
    torch.manual_seed(0)
    return list(layer_times(*SUBJECTS[name].build(1), folder, core))


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
            begin = shader_seconds()
            network(inputs)
            if number:  # the first call compiles shaders
                spent = shader_seconds() - begin
                taken[form].append(1e3 * spent / subject.layers)
    return {form: statistics.median(times) for form, times in taken.items()}


def compiled(subject: Subject, form: str, folder: Path) -> tuple[Any, Any]:
    """A network for the baseline, and its input."""
    model, x = subject.build(RATE if form in (PRUNED, PRUNED_STEPS) else 1)
    options: dict[str, Any] = {"pipeline": PIPELINES[form]} if form in PIPELINES else {}
    path = folder / "net.niwaki"
    # Not compared with PyTorch: depthwise layers are wrong in IREE's code.
    niwaki.compile(model, x, target="vulkan", output=path, golden=False, **options)
    return niwaki.load(path), x.numpy()

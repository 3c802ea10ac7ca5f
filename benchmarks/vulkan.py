"""Layers on a Vulkan device, pruned and dense, beside the code that IREE makes of dense ones.

Here the device is Mesa's lavapipe, whose threads are its own: what counts is the CPU time of the
process, of one of them, and of that the ratios.
"""

from __future__ import annotations

import copy
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from figure import Figure
from torch import nn
from worker import in_fresh_process

import niwaki
from niwaki.schemes import block_punched_mask

ROUNDS = 5
RATE, BLOCK = 8, 8
# Times faster: 8x than our dense kernel, and that than IREE's code.
PRUNED_FASTER, DENSE_FASTER = 4.0, 1.0
# All that a bundle has to go through: then IREE compiles the network itself.
IREE_ALONE = "builtin.module(sparse-pattern-emit-iree)"
# Filters and pixels of a side of 3x3 layers that are pruned.
PRUNED = {"conv-128-28": (128, 28), "conv-64-56": (64, 56)}
# Layers that stay dense.
DENSE: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "depthwise-144-56": (nn.Conv2d(144, 144, 3, 1, 1, groups=144), (1, 144, 56, 56)),
    "linear-512x1000": (nn.Linear(512, 1000), (1, 512)),
    "linear-768x3072-64-rows": (nn.Linear(768, 3072), (64, 768)),
}
NAMES = (*PRUNED, *DENSE)


def measure(name: str, folder: Path, core: int) -> list[Figure]:
    """CPU milliseconds of a layer in each form, calls of all taking turns."""
    folder.mkdir(parents=True, exist_ok=True)
    times: dict[str, float] = in_fresh_process(_measure, name, folder, core)
    figures = [Figure(form, value, "ms") for form, value in times.items()]
    faster = times["IREE, dense"] / times["dense"]
    figures.append(Figure("dense: times faster than IREE", faster, at_least=DENSE_FASTER))
    if name in PRUNED:
        faster = times["dense"] / times["8x"]
        figures.append(Figure("8x: times faster than dense", faster, at_least=PRUNED_FASTER))
    return figures


def _measure(name: str, folder: Path, core: int) -> dict[str, float]:
    # Read when the driver is loaded, which has this one thread beside the caller.
    os.environ["LP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, [core])
    torch.manual_seed(0)
    dense, x = layer(name)
    inputs = x.numpy()
    networks = {
        # Not compared: depthwise layers are wrong in IREE's code.
        "IREE, dense": compiled(dense, x, folder, pipeline=IREE_ALONE, golden=False),
        "dense": compiled(dense, x, folder),
    }
    if name in PRUNED:
        networks["8x"] = compiled(pruned(dense), x, folder)
    taken: dict[str, list[float]] = {form: [] for form in networks}
    for number in range(ROUNDS + 1):
        for form, network in networks.items():
            begin = time.process_time()
            network(inputs)
            if number:  # the first call compiles shaders
                taken[form].append(1e3 * (time.process_time() - begin))
    return {form: statistics.median(times) for form, times in taken.items()}


def layer(name: str) -> tuple[nn.Module, torch.Tensor]:
    """A dense layer with an activation, and its input."""
    if name in PRUNED:
        filters, side = PRUNED[name]
        module: nn.Module = nn.Conv2d(filters, filters, 3, padding=1)
        shape: tuple[int, ...] = (1, filters, side, side)
    else:
        module, shape = DENSE[name]
    return nn.Sequential(module, nn.ReLU()).eval(), torch.randn(shape)


def pruned(dense: nn.Module) -> nn.Module:
    """A copy whose convolution is block-punched."""
    model = copy.deepcopy(dense)
    for conv in model.modules():
        if isinstance(conv, nn.Conv2d):
            weights = conv.weight.detach()
            rows = weights.reshape(*weights.shape[:2], -1).numpy()
            mask = block_punched_mask(rows, RATE, BLOCK)
            conv.weight.data *= torch.from_numpy(mask.reshape(weights.shape))
    return model


def compiled(model: nn.Module, x: torch.Tensor, folder: Path, **options: Any) -> Any:
    """A network for the baseline."""
    path = folder / "net.niwaki"
    niwaki.compile(model, x, target="vulkan", output=path, **options)
    return niwaki.load(path)

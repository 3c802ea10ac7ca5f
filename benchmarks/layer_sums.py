"""IREE's code for the layers of a dense network, each alone and with a time limit.

    network -> its convolutions, linear layers and poolings, with how often each shape is there
      each: with its ReLU, by IREE alone, in a process of its own --> seconds of its shaders
    seconds of the network = sum of seconds x how often

Whole networks take lavapipe too long to prepare. What is not ready in time, or fails, counts as
nothing, and so do additions between layers and copies: the sum is what IREE needs at least.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import resource
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from shader_time import shader_seconds
from torch import nn

import niwaki

# All that a bundle has to go through: then IREE compiles the network itself.
IREE_ALONE = "builtin.module(sparse-pattern-emit-iree)"
# Seconds of CPU for a layer: its shaders are made ready when it is first called.
LIMIT = 120
CALLS = 3
KINDS = (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


@dataclass(frozen=True)
class LayerTime:
    """Layers of one shape.

    Attributes:
        count: how many the network has.
        seconds: of one, None if it was not ready in time.
    """

    name: str
    count: int
    seconds: float | None


def layer_times(model: nn.Module, x: torch.Tensor, folder: Path, core: int) -> Iterator[LayerTime]:
    """Of each shape of layer in a network."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    samples: dict[str, tuple[nn.Module, torch.Size]] = {}
    for layer, shape in _called(model, x):
        name = f"{layer} of {tuple(shape)}"
        counts[name] += 1
        samples.setdefault(name, (layer, shape))
    for name, (layer, shape) in samples.items():
        yield LayerTime(name, counts[name], _seconds(layer, shape, folder / "net.niwaki", core))


def _called(model: nn.Module, x: torch.Tensor) -> list[tuple[nn.Module, torch.Size]]:
    """Layers in the order of their calls, and the shape of what they get."""
    found: list[tuple[nn.Module, torch.Size]] = []

    def note(layer: nn.Module, inputs: Any, result: Any) -> None:
        found.append((layer, inputs[0].shape))

    layers = [layer for layer in model.modules() if isinstance(layer, KINDS)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found


def _seconds(layer: nn.Module, shape: torch.Size, path: Path, core: int) -> float | None:
    x = torch.randn(shape)
    model = nn.Sequential(copy.deepcopy(layer), nn.ReLU()).eval()
    niwaki.compile(model, x, target="vulkan", output=path, golden=False, pipeline=IREE_ALONE)
    # The compiler stays loaded: a process that begins anew takes longer than most layers.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_time, args=(path, x, core, theirs))
    process.start()
    theirs.close()
    try:
        return float(ours.recv())
    except EOFError:  # the limit ended it, or it came to a bad end
        return None
    finally:
        process.join()


def _time(path: Path, x: torch.Tensor, core: int, connection: Any) -> None:
    # Read when the driver is loaded, which has this one thread beside the caller.
    os.environ["LP_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, [core])
    spent = sum(os.times()[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent) + LIMIT, resource.RLIM_INFINITY))
    network, inputs = niwaki.load(path), x.numpy()
    network(inputs)  # makes shaders ready
    taken = []
    for _ in range(CALLS):
        begin = shader_seconds()
        network(inputs)
        taken.append(shader_seconds() - begin)
    connection.send(statistics.median(taken))

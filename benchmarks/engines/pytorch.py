"""PyTorch, whose convolutions are oneDNN's."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines.base import Array, Engine, Network

if TYPE_CHECKING:
    import torch

_TRIALS = 5


class PyTorch(Engine):
    """The fastest of three forms: as it is, channels last, and TorchScript with packed weights."""

    name = "PyTorch"
    distribution = "torch"
    file = "module.pt"

    def prepare(self, model: torch.nn.Module, image: torch.Tensor, path: Path) -> None:
        import torch

        torch.save((model, image), path)

    def load(self, path: Path) -> Network:
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        # Our own file, and the module's class is one of the benchmarks'.
        model, image = torch.load(path, weights_only=False)
        forms = [_plain(model), _channels_last(model), _packed(model, image)]
        return min(forms, key=lambda form: _trial(form, image.numpy()))


def _plain(model: torch.nn.Module) -> Network:
    import torch

    return lambda image: np.asarray(model(torch.from_numpy(image)))


def _channels_last(model: torch.nn.Module) -> Network:
    import torch

    converted = copy.deepcopy(model).to(memory_format=torch.channels_last)

    def call(image: Array) -> Array:
        return np.asarray(converted(torch.from_numpy(image).to(memory_format=torch.channels_last)))

    return call


def _packed(model: torch.nn.Module, image: torch.Tensor) -> Network:
    """Batch-norm folded, weights in oneDNN's layout once and for all."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        frozen = torch.jit.freeze(torch.jit.trace(model, image))
        packed: Callable[[torch.Tensor], torch.Tensor] = torch.jit.optimize_for_inference(frozen)
    return lambda image: np.asarray(packed(torch.from_numpy(image)))


def _trial(network: Network, image: Array) -> float:
    """The best of a few calls, in seconds."""
    times = []
    for _ in range(_TRIALS):
        started = time.perf_counter()
        network(image)
        times.append(time.perf_counter() - started)
    return min(times)

"""Who takes part: an engine on a workload, and the files it loads."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from engines.base import Array, Engine
from serve import summary
from worker import in_fresh_process
from workloads import Workload

IMAGES, OUTPUTS = "images.npy", "outputs.npy"
LEAST_DIFFERENCE = 1e-2  # of a model's outputs for two inputs, relative to the largest


@dataclass(frozen=True)
class Contender:
    """One engine on one workload."""

    engine: Engine
    workload: Workload

    @property
    def label(self) -> str:
        return f"{self.engine.name}, {self.workload.weights}"


def prepare(
    workload: Workload, engines: Sequence[Engine], folder: Path, reuse: bool
) -> dict[str, str]:
    """Write what the engines load into `folder`, in a process of its own.

    Also writes two inputs (IMAGES) and PyTorch's outputs for them (OUTPUTS). With `reuse`, files
    that are there are kept. Returns what went wrong: name of the engine -> its message.
    """
    if not reuse:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    files = [IMAGES, OUTPUTS, *(engine.file for engine in engines)]
    if all((folder / file).exists() for file in files):
        return {}
    return in_fresh_process(_prepare, workload, engines, folder)


def _prepare(workload: Workload, engines: Sequence[Engine], folder: Path) -> dict[str, str]:
    import torch

    torch.set_grad_enabled(False)
    model, images = workload.build()
    outputs = model(images).numpy()
    if relative_error(outputs[1], outputs[0]) < LEAST_DIFFERENCE:
        raise AssertionError(f"{workload.name} ignores its input: comparing proves nothing")
    np.save(folder / IMAGES, images.numpy())
    np.save(folder / OUTPUTS, outputs)
    problems = {}
    for engine in engines:
        path = folder / engine.file
        try:
            if not path.exists():
                engine.prepare(model, images[:1], path)
        except Exception as error:  # whatever an engine raises, the others are still measured
            problems[engine.name] = summary(error)
    return problems


def relative_error(result: Array, reference: Array) -> float:
    """The largest difference, relative to the largest element of `reference`."""
    if result.shape != reference.shape:
        return float("inf")
    return float(np.abs(result - reference).max() / np.abs(reference).max())

"""What importing a network costs: time, and memory beside its weights' own."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from figure import MEGA, Figure
from worker import in_fresh_process

NETWORK = "resnet50"
MOST_SECONDS = 10.0
MOST_MEMORY = 4.0  # times the bytes of the weights


def measure() -> list[Figure]:
    """Import NETWORK in a process of its own."""
    return in_fresh_process(_measure)


def _measure() -> list[Figure]:
    import models
    import torch
    from torch_mlir import ir

    from niwaki.frontend import import_torch

    with ir.Context() as context:  # loads every library that an import needs
        import_torch(torch.nn.Linear(1, 1).eval(), torch.zeros(1, 1), context)
    libraries = _memory("VmRSS")

    model, inputs = models.MODELS[NETWORK]()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    before = _memory("VmRSS") - libraries
    with ir.Context() as context:
        started = time.perf_counter()
        imported = import_torch(model, inputs, context)
        seconds = time.perf_counter() - started
        peak = _memory("VmHWM") - libraries
        del imported

    weights = sum(weight.nbytes for weight in (*model.parameters(), *model.buffers()))
    return [
        Figure("import, from module to linalg on tensors", seconds, "s", MOST_SECONDS),
        Figure("weights", weights / MEGA, "MB"),
        Figure("memory before, the model's own", before / MEGA, "MB"),
        Figure("peak memory, the model's own included", peak / MEGA, "MB"),
        Figure("peak memory / weights", peak / weights, "", MOST_MEMORY),
    ]


def _memory(field: str) -> int:
    """Bytes in /proc/self/status: VmRSS, resident now; VmHWM, the most since the last reset."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values[field].split()[0]) * 1024

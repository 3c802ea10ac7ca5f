"""What compiling costs: time and memory of the command, size of the bundle."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

from figure import MEGA, Figure
from worker import in_fresh_process
from workloads import PrunedNetwork

from niwaki.runtime.bundle import open_bundle

NETWORKS = ("resnet18", "vgg16", "resnet50", "mobilenet_v2", "efficientnet_b0", "yolov8n")
RATE = 8
VALUE_BYTES = 4  # f32

MOST_SECONDS = {"resnet18": 60.0, "resnet50": 40.0}
MOST_CPU_SECONDS = {"efficientnet_b0": 12.0, "yolov8n": 12.0}
MOST_BYTES = 1.15  # of the weight archive without its indices, for each byte of kept weights


def measure(network: str, folder: Path) -> list[Figure]:
    """Compile `network` as a user does, in a process that has not compiled before."""
    workload = PrunedNetwork(network, RATE)
    place = folder / f"{workload.name}-compile"
    place.mkdir(parents=True, exist_ok=True)
    program, path = place / "net.pt2", place / "net.niwaki"
    in_fresh_process(_export, workload, program)

    command = [sys.executable, "-m", "niwaki", "compile", str(program), "-o", str(path)]
    # A child's peak counts from its parent's memory, so that the parent must be a small one.
    seconds, work, memory = in_fresh_process(run, command)

    bundle = open_bundle(path)
    kept = VALUE_BYTES * sum(layer.kept for layer in bundle.layers)
    # Blocks keep whole columns, so that among the packed values there are no zeros.
    indices = sum(layer.packed_bytes for layer in bundle.layers) - kept
    archive = len(bundle.weights)
    return [
        Figure("niwaki compile, whole command", seconds, "s", MOST_SECONDS.get(network)),
        Figure("its CPU seconds", work, "s", MOST_CPU_SECONDS.get(network)),
        Figure("peak memory of its largest process", memory / MEGA, "MB"),
        Figure("code (module.vmfb)", len(bundle.module) / MEGA, "MB"),
        Figure("weights (weights.irpa)", archive / MEGA, "MB"),
        Figure("indices among them", indices / MEGA, "MB"),
        Figure("kept weights x 4 bytes", kept / MEGA, "MB"),
        Figure("weights without indices / kept", (archive - indices) / kept, "", MOST_BYTES),
    ]


def run(command: Sequence[str]) -> tuple[float, float, int]:
    """Run it; returns its seconds, its CPU seconds, and the peak bytes of its largest process.

    Both are of the process and of those that it started.

    Raises:
        CalledProcessError: it failed.
    """
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = time.perf_counter()
    process = os.posix_spawn(command[0], list(command), os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise CalledProcessError(os.waitstatus_to_exitcode(status), list(command))
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _export(workload: PrunedNetwork, path: Path) -> None:
    import torch

    model, images = workload.build()
    torch.export.save(torch.export.export(model, (images[:1],)), path)

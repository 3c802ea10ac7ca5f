"""Times of single kernel runs, taken by IREE's profiler in a process of its own.

IREE's Python interface cannot profile, its command-line tools can: `iree-benchmark-module` calls
the network and notes when each kernel begins and ends, `iree-profile` prints what it noted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.temporary import temporary_folder
from niwaki.tool import first_error, run_tool

from .bundle import Bundle
from .lane import SCOPE
from .measure import random_inputs
from .placement import topology_flags


@dataclass(frozen=True)
class KernelRun:
    """One run of a kernel: its name, when it began and ended, in seconds of some clock."""

    kernel: str
    begin: float
    end: float


def profile(bundle: Bundle, threads: int, calls: int) -> list[KernelRun]:
    """The kernel runs of `calls` calls with random inputs, in the order that IREE recorded them.

    Raises:
        NiwakiError: a tool of IREE is not there, or failed.
    """
    manifest = bundle.manifest
    with temporary_folder() as folder:
        module, weights, events = (folder / name for name in ("vmfb", "irpa", "events"))
        module.write_bytes(bundle.module)
        bundle.weights.copy_to(weights)
        arguments = [
            f"--module={module}",
            f"--parameters={SCOPE}={weights}",
            f"--function={manifest.function}",
            "--device_allocator=caching",
            f"--device=local-{'sync' if threads == 1 else 'task'}",
            *topology_flags(threads),
            f"--benchmark_min_time={calls}x",
            "--device_profiling_mode=queue-events,host-execution",
            f"--device_profiling_output={events}",
        ]
        for number, array in enumerate(random_inputs(manifest.signature.inputs)):
            file = folder / f"{number}.npy"
            np.save(file, array)
            arguments.append(f"--input=@{file}")
        _run("iree-benchmark-module", arguments)
        return read_events(events)


def read_events(file: Path) -> list[KernelRun]:
    """The kernel runs that the profiler has noted in a file, on this machine or another.

    Raises:
        NiwakiError: the file holds nothing of the kind.
    """
    return parse_events(_run("iree-profile", ["export", "--format=ireeperf-jsonl", file]))


def parse_events(lines: str) -> list[KernelRun]:
    """The kernel runs that `iree-profile export` tells, one JSON object a line."""
    events = [
        event
        for event in map(json.loads, lines.splitlines())
        if event["record_type"] == "host_execution_event" and event["op"] == "dispatch"
    ]
    # Several threads note kernels as they end; the number in the command buffer is the order. One
    # thread has none to tell (all are equal), and runs them in that order.
    events.sort(key=_order)
    return [
        KernelRun(
            event["key"], 1e-9 * event["start_host_time_ns"], 1e-9 * event["end_host_time_ns"]
        )
        for event in events
    ]


def _order(event: dict[str, Any]) -> tuple[int, int, int]:
    return event["submission_id"], event["command_index"], event["start_host_time_ns"]


def _run(tool: str, arguments: Sequence[str | Path]) -> str:
    """What a tool of IREE's runtime prints."""
    import iree._runtime_libs as libraries

    try:
        done = run_tool([Path(libraries.__file__).parent / tool, *arguments])
    except FileNotFoundError:
        raise NiwakiError(
            f"this build of iree-base-runtime has no {tool}: install its wheel from PyPI"
        ) from None
    if done.returncode != 0:
        raise NiwakiError(f"{tool} failed: {first_error(done)}")
    return done.stdout.decode()

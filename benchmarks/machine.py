"""The machine that figures come from, and keeping to one of its cores."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

PRIORITY = 50


def cpu_model() -> str:
    """For example ``AMD EPYC 9454``; the architecture where the kernel tells no more."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def last_core() -> int:
    """The core to measure on: interrupts tend to the first ones."""
    return max(os.sched_getaffinity(0))


def cores_with(core: int, count: int) -> list[int]:
    """`core` and the last ones beside it, `count` in all, or as many as there are."""
    others = sorted(os.sched_getaffinity(0) - {core}, reverse=True)
    return [core, *others][:count]


def pin(cores: Collection[int]) -> None:
    """Keep this process, and threads that it will start, on these cores."""
    os.sched_setaffinity(0, cores)


@contextmanager
def ahead_of_others() -> Iterator[None]:
    """Real-time priority for this thread and what it starts, where that is allowed.

    For one thread that is timed, and for as long as that takes: nobody else has its core then.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def one_thread() -> None:
    """For this process's children: what libraries read when loaded, besides their own options."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"

"""Who measures: this machine, one kernel after the other, or the machines of a Ray cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from niwaki.errors import CompilerBug, NiwakiError
from niwaki.ray_cluster import connect

from .measure import measure
from .single_layer import Job

# Measures jobs and gives each one's number and seconds as soon as they are known.
Workers = Callable[[Sequence[Job]], Iterator[tuple[int, float]]]


def measure_here(jobs: Sequence[Job]) -> Iterator[tuple[int, float]]:
    """On this machine."""
    for number, job in enumerate(jobs):
        yield number, seconds_of(job)


def seconds_of(job: Job) -> float:
    """The time of a job; infinite if IREE refuses its kernel."""
    try:
        return measure(job)
    except CompilerBug:
        return math.inf


def ray_workers(address: str, machine: str) -> Workers:
    """On the machines of the Ray cluster at `address`, one job at a time on each.

    Niwaki must be installed there, and the machines must be like this one, called `machine`.

    Raises:
        NiwakiError: there is no such cluster.
    """
    import ray

    connect(address)
    # A job takes a machine for itself: what runs beside it would count.
    cores = {node["NodeManagerAddress"]: node["Resources"].get("CPU", 1) for node in ray.nodes()}
    remote = ray.remote(num_cpus=min(cores.values()), max_retries=0)(seconds_like)

    def measure_there(jobs: Sequence[Job]) -> Iterator[tuple[int, float]]:
        waiting: dict[Any, int] = {
            remote.remote(job, machine): number for number, job in enumerate(jobs)
        }
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            yield waiting.pop(done), ray.get(done)

    return measure_there


def seconds_like(job: Job, machine: str) -> float:
    """As `seconds_of`, on a machine that must be called `machine`.

    Raises:
        NiwakiError: it is another one, whose times would say nothing.
    """
    from niwaki.targets import get_target

    from .signature import machine_name

    here = machine_name(get_target("host"))
    if here != machine:
        raise NiwakiError(f"a Ray worker is no machine like this one: {here}, not {machine}")
    return seconds_of(job)

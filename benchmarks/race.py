"""Several engines measured side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from contender import IMAGES, OUTPUTS, Contender, prepare, relative_error
from timing import Times
from worker import Worker, WorkerError

# Seconds of a call. An engine with no kernel for a network's layers may take minutes, and all
# others would wait for it in each round.
TOO_LONG = 5.0


@dataclass(frozen=True)
class Result:
    """What came of a contender.

    Attributes:
        error: largest difference to PyTorch's outputs, relative to the largest of these.
        times: of its calls.
        problem: why there are no times; empty where there are.
    """

    error: float | None = None
    times: Times | None = None
    problem: str = ""


class Timed(Protocol):
    """What can be timed, one call at a time."""

    def time_call(self) -> float: ...


def race(
    contenders: Sequence[Contender], folder: Path, rounds: int, core: int, reuse: bool
) -> dict[str, Result]:
    """Measure `contenders`, whose files go below `folder`; returns label -> result.

    All are loaded and checked before anyone is timed: nobody is measured on wrong results.
    """
    problems = prepare_all(contenders, folder, reuse)
    results = {label: Result(problem=problem) for label, problem in problems.items()}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for contender in contenders:
            label, place = contender.label, folder / contender.workload.name
            if label in problems:
                continue
            path = place / contender.engine.file
            try:
                worker = Worker(contender.engine, path, place / IMAGES, core)
                stack.callback(worker.close)
                started = time.perf_counter()
                outputs = worker.outputs()
                seconds = (time.perf_counter() - started) / len(outputs)
                error = relative_error(np.concatenate(outputs), np.load(place / OUTPUTS))
            except WorkerError as raised:  # the others are still measured
                results[label] = Result(problem=str(raised))
                continue
            if not error <= contender.engine.tolerance:  # NaN, too
                results[label] = Result(error, problem="wrong results, so not timed")
                continue
            if seconds > TOO_LONG:
                results[label] = Result(error, problem=f"takes {seconds:.0f} s a call: not raced")
                continue
            results[label], workers[label] = Result(error), worker
        for label, times in take_turns(workers, rounds).items():
            results[label] = Result(results[label].error, times)
    return {contender.label: results[contender.label] for contender in contenders}


def prepare_all(contenders: Sequence[Contender], folder: Path, reuse: bool) -> dict[str, str]:
    """Write what all of them load; returns label -> what went wrong."""
    problems = {}
    present = []
    for contender in contenders:
        if contender.engine.version() is None:
            problems[contender.label] = f"not installed: run `{contender.engine.remedy}`"
        else:
            present.append(contender)
    for workload in dict.fromkeys(contender.workload for contender in present):
        here = {c.engine.name: c for c in present if c.workload == workload}
        engines = [contender.engine for contender in here.values()]
        failed = prepare(workload, engines, folder / workload.name, reuse)
        problems |= {here[name].label: problem for name, problem in failed.items()}
    return problems


def take_turns(workers: Mapping[str, Timed], rounds: int) -> dict[str, Times]:
    """Time calls of all `workers`, two each a round.

    In a round everyone makes one call, then everyone one more in reverse order (a b c c b a), so
    that a machine that becomes slower or faster meanwhile does so for all alike.
    """
    turns = [*workers, *reversed(list(workers))]
    times: dict[str, list[tuple[float, ...]]] = {label: [] for label in workers}
    for _ in range(rounds):
        calls: dict[str, list[float]] = {label: [] for label in workers}
        for label in turns:
            calls[label].append(workers[label].time_call())
        for label, seconds in calls.items():
            times[label].append(tuple(seconds))
    return {label: Times(tuple(seconds)) for label, seconds in times.items()}

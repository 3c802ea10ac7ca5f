"""Who trains: processes of this machine, a Ray cluster, or, without training, nobody else."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from niwaki.errors import NiwakiError

from .functions import Functions, Outcome, Source
from .space import Point


class Workers(Protocol):
    """They take points, and give what became of them in any order.

    Attributes:
        at_once: whether a point takes no time, so that nothing is lost with one that was begun.
    """

    at_once: bool

    @property
    def size(self) -> int:
        """How many points they work at side by side."""
        ...

    def submit(self, number: int, point: Point) -> None:
        """Begin with the point of a trial; at most `size` are begun and not given back."""

    def next(self) -> tuple[int, Outcome]:
        """Wait for the trial that ends next: its number and outcome.

        Raises:
            NiwakiError: no worker can begin.
        """
        ...


class Here:
    """This process: for points that take no time."""

    size, at_once = 1, True

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._waiting: deque[tuple[int, Point]] = deque()

    def submit(self, number: int, point: Point) -> None:
        self._waiting.append((number, point))

    def next(self) -> tuple[int, Outcome]:
        number, point = self._waiting.popleft()
        return number, self._functions.outcome(point)


@contextmanager
def _here(functions: Functions) -> Iterator[Workers]:
    yield Here(functions)


def make_workers(
    workers: int | str, source: Source, functions: Functions
) -> AbstractContextManager[Workers]:
    """The workers that a user asks for: a number, "auto", or the address of a Ray cluster.

    Raises:
        NiwakiError: it is none of that, or there is no such cluster.
    """
    if isinstance(workers, str) and ":" in workers:
        from .ray_workers import ray_workers

        return ray_workers(workers, source)
    count = cores() if workers == "auto" else workers
    if isinstance(count, str) and count.isdecimal():
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise NiwakiError(f"workers are a number from 1, auto or ray://HOST:PORT, not {workers!r}")
    if functions.train is None and count == 1:
        return _here(functions)
    from .processes import processes

    return processes(count, source, max(1, cores() // count))


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Workers on the machines of a Ray cluster: one on each of their cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.extras import require
from niwaki.ray_cluster import connect

from .functions import Functions, Outcome, Source
from .space import Point
from .worker_process import loaded


class Worker:
    """Lives on the cluster, as an actor."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._functions: Functions | None = None

    def outcome(self, point: Point) -> Outcome | str:
        """What becomes of `point`; a text where the functions cannot be loaded."""
        try:
            self._functions = self._functions or loaded(self._source)
        except NiwakiError as error:
            return str(error)
        return self._functions.outcome(point)


class RayWorkers:
    """As `Workers`."""

    at_once = False

    def __init__(self, source: Source) -> None:
        import ray
        from ray import cloudpickle

        # It also takes functions of the program itself, and others from their modules.
        self._source = cloudpickle.dumps(source)
        self._kind = ray.remote(num_cpus=1, max_restarts=0)(Worker)
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, int]] = {}  # what is awaited -> worker, trial

    @property
    def size(self) -> int:
        """Cores that the cluster has now: nodes may come, and a worker too many would wait for one
        that went."""
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def submit(self, number: int, point: Point) -> None:
        worker = self._idle.pop() if self._idle else self._kind.remote(self._source)
        self._busy[worker.outcome.remote(point)] = (worker, number)

    def next(self) -> tuple[int, Outcome]:
        import ray

        (done,), _ = ray.wait(list(self._busy), num_returns=1)
        worker, number = self._busy.pop(done)
        try:
            outcome = ray.get(done)
        except ray.exceptions.RayError as error:  # the process or its machine is gone
            return number, Outcome(reason=f"its worker died: {type(error).__name__}")
        if isinstance(outcome, str):
            raise NiwakiError(outcome)
        self._idle.append(worker)
        return number, outcome

    def close(self) -> None:
        """End all of them, whatever they are at."""
        import ray

        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            ray.kill(worker)


@contextmanager
def ray_workers(address: str, source: Source) -> Iterator[RayWorkers]:
    """A worker on each core of the cluster at `address`; they end with the block.

    Niwaki must be installed there, and the user's files lie at the same paths.

    Raises:
        NiwakiError: Ray is not installed, or there is no such cluster.
    """
    require("ray", "workers on other machines need Ray")
    import ray

    connected = ray.is_initialized()
    connect(address)
    workers = RayWorkers(source)
    try:
        yield workers
    finally:
        workers.close()
        if not connected:
            ray.shutdown()

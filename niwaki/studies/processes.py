"""Workers that are processes of this machine.

Each is started anew, not forked: PyTorch's threads do not survive a fork. One that dies fails the
trial it was at, and another takes its place.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from niwaki.errors import NiwakiError

from .functions import Outcome, Source
from .space import Point
from .worker_process import READY, serve

THREADS = "OMP_NUM_THREADS"


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    number: int | None = None  # of the trial it is at


class Processes:
    """As `Workers`.

    Attributes:
        size: how many there are.
    """

    at_once = False

    def __init__(self, size: int, source: Source, threads: int) -> None:
        self.size = size
        self._source = pickled(source)
        self._threads = threads
        self._workers: list[_Worker] = []

    def submit(self, number: int, point: Point) -> None:
        for worker in [one for one in self._workers if one.number is None]:
            if self._sent(worker, number, point):
                return
            self._remove(worker)  # it died while it had nothing to do
        self._sent(self._start(), number, point)  # if that fails, `next` tells

    def next(self) -> tuple[int, Outcome]:
        while True:
            worker = self._heard()
            try:
                message = worker.pipe.recv() if worker.pipe.poll() else None
            except (EOFError, ConnectionError):
                message = None
            if message is None:
                return self._bury(worker)
            if isinstance(message, Outcome):
                number, worker.number = worker.number, None
                assert number is not None
                return number, message
            if message != READY:  # it cannot load the functions, and neither could another
                raise NiwakiError(message)
            worker.ready = True

    def _heard(self) -> _Worker:
        """One that has said something or died; what it started may keep its pipe open."""
        busy = [worker for worker in self._workers if worker.number is not None]
        signs: dict[Any, _Worker] = {worker.pipe: worker for worker in busy}
        signs |= {worker.process.sentinel: worker for worker in busy}
        return signs[wait(list(signs))[0]]

    def _sent(self, worker: _Worker, number: int, point: Point) -> bool:
        worker.number = number
        try:
            worker.pipe.send(point)
        except ConnectionError:
            return False
        return True

    def close(self) -> None:
        """End all of them, whatever they are at."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()

    def _start(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._source))
        with _environment(THREADS, str(self._threads)):  # read when libraries are loaded
            process.start()
        theirs.close()  # so that the pipe ends when the worker does
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> tuple[int, Outcome]:
        """What becomes of the trial of a worker that is no more."""
        self._remove(worker)
        ended = _how(worker.process.exitcode or 0)
        if not worker.ready:
            raise NiwakiError(
                f"a worker {ended} before it could begin: a program that searches must do so below "
                "`if __name__ == '__main__':`, since workers import it, too"
            )
        assert worker.number is not None
        return worker.number, Outcome(reason=f"its worker {ended}")

    def _remove(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)


@contextmanager
def processes(size: int, source: Source, threads: int) -> Iterator[Processes]:
    """So many processes, with so many threads of computation each; they end with the block.

    Raises:
        NiwakiError: the functions cannot be sent to them.
    """
    pool = Processes(size, source, threads)
    try:
        yield pool
    finally:
        pool.close()


def pickled(source: Source) -> bytes:
    """`source`, as it is sent to a process.

    Raises:
        NiwakiError: it holds a function that is in no module, as lambdas are.
    """
    try:
        return pickle.dumps(source)
    except Exception as error:  # each class may fail in its own way
        reason = str(error).split("\n")[0]
        raise NiwakiError(
            f"train or evaluate cannot be sent to workers ({reason}): define both at the top of a "
            "module"
        ) from None


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    name = next((one.name for one in signal.Signals if one == -code), f"signal {-code}")
    return f"was killed by {name}{', as where memory runs out' if name == 'SIGKILL' else ''}"


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """A variable for processes that start meanwhile, where the user has not set it."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]

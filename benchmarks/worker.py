"""Processes that run something for the benchmark, so that no two engines share one."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import machine
import serve

if TYPE_CHECKING:
    from engines.base import Array, Engine

P = ParamSpec("P")
R = TypeVar("R")


def in_fresh_process(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call `function` in a process that has loaded nothing yet, and let its exceptions through."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as process:
        return process.submit(function, *args, **kwargs).result()


class WorkerError(Exception):
    """What went wrong in a worker's process, in one line."""


class Worker:
    """A process that has one network loaded, and runs or times it when asked.

    It runs `serve.py` with the engine's own interpreter, stays alive between calls, and sleeps
    while others are measured.
    """

    def __init__(self, engine: Engine, path: Path, images: Path, core: int) -> None:
        """Load what `engine` wrote to `path`; `images` is a .npy file of inputs along axis 0.

        An engine of several threads gets as many cores, `core` among them.

        Raises:
            WorkerError: the engine cannot load it.
        """
        self._connection, theirs = multiprocessing.Pipe()
        kind = type(engine)
        cores = machine.cores_with(core, engine.threads)
        arguments = (theirs.fileno(), kind.__module__, kind.__name__, path, images, *cores)
        with theirs:
            self._process = subprocess.Popen(
                [engine.python, serve.__file__, *map(str, arguments)],
                env={**os.environ, "PYTHONPATH": str(_import_root(kind))},
                pass_fds=(theirs.fileno(),),
                stdout=subprocess.DEVNULL,  # where some introduce themselves
            )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def outputs(self) -> list[Array]:
        """The network's results, one for each image."""
        outputs: list[Array] = self._ask("outputs")
        return outputs

    def time_call(self) -> float:
        """Seconds that one call takes, after one that brings the caches back to this process."""
        seconds: float = self._ask("time_call")
        return seconds

    def close(self) -> None:
        self._connection.close()
        self._process.wait()

    def _ask(self, request: str) -> Any:
        self._connection.send(request)
        return self._answer()

    def _answer(self) -> Any:
        try:
            is_well, answer = self._connection.recv()
        except EOFError:
            status = self._process.wait()
            raise WorkerError(f"the process ended with exit status {status}") from None
        if not is_well:
            raise WorkerError(answer)
        return answer


def _import_root(kind: type) -> Path:
    """The folder from which `kind`'s module is imported."""
    return Path(inspect.getfile(kind)).parents[kind.__module__.count(".")]

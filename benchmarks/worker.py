"""Processes that run something for the benchmark, so that no two engines share one."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import machine
import numpy as np

if TYPE_CHECKING:
    from engines.base import Array, Engine, Network

P = ParamSpec("P")
R = TypeVar("R")


def fresh_process() -> ProcessPoolExecutor:
    """A process that has loaded nothing yet, for as many tasks as one likes."""
    return ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))


def in_fresh_process(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call `function` in a process of its own, and let its exceptions through."""
    with fresh_process() as process:
        return process.submit(function, *args, **kwargs).result()


class Worker:
    """A process that has one network loaded, and runs or times it when asked.

    It stays alive between calls, and sleeps while others are measured.
    """

    def __init__(self, engine: Engine, path: Path, images: Path, core: int) -> None:
        """Load what `engine` wrote to `path`; `images` is a .npy file of inputs along axis 0."""
        self._process = fresh_process()
        try:
            self._process.submit(_load, engine, path, images, core).result()
        except BaseException:
            self.close()
            raise

    def outputs(self) -> list[Array]:
        """The network's output for each of the images."""
        return self._process.submit(_outputs).result()

    def time_call(self) -> float:
        """Seconds that one call takes, after one that brings the caches back to this process."""
        return self._process.submit(_time_call).result()

    def close(self) -> None:
        self._process.shutdown()


# The state of a worker's process, which loads one network and never another.
_network: Network
_images: list[Array]


def _load(engine: Engine, path: Path, images: Path, core: int) -> None:
    global _network, _images
    machine.pin(core)
    _images = [_aligned(image[None]) for image in np.load(images)]
    _network = engine.load(path)


def _aligned(array: Array) -> Array:
    """A copy that begins at a multiple of 64 bytes, which some engines read where it lies."""
    storage = np.empty(array.nbytes + 64, np.uint8)
    begin = -storage.ctypes.data % 64
    copy = storage[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def _outputs() -> list[Array]:
    return [np.array(_network(image)) for image in _images]


def _time_call() -> float:
    _network(_images[0])
    started = time.perf_counter()
    _network(_images[0])
    return time.perf_counter() - started

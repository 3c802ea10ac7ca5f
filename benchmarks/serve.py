"""What runs in a worker's process: one network, run or timed when asked.

    python serve.py DESCRIPTOR MODULE CLASS FILE IMAGES CORE...

`worker.Worker` starts it and talks to it over the socket DESCRIPTOR. An engine may need another
Python and another numpy than the benchmarks, so nothing is imported here but what both have.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import machine
import numpy as np

if TYPE_CHECKING:
    from engines.base import Array, Engine, Network


# Of calls before one that is timed, at least.
WARM_SECONDS = 0.002


def main() -> None:
    descriptor, module, name, path, images, *cores = sys.argv[1:]
    connection = Connection(int(descriptor))
    try:
        machine.pin([int(core) for core in cores])
        inputs = [_aligned(image[None]) for image in np.load(images)]
        engine: Engine = getattr(import_module(module), name)()
        network = engine.load(Path(path))
        connection.send((True, None))
        while True:
            request = connection.recv()
            if request == "outputs":
                # A copy: the next call may overwrite what this one returned.
                result: object = [np.array(network(image)) for image in inputs]
            else:
                bring_back(network, inputs[0])
                started = time.perf_counter()
                network(inputs[0])
                result = time.perf_counter() - started
            connection.send((True, result))
    except EOFError:  # nobody will ask again
        pass
    except (
        Exception
    ) as error:  # whatever an engine raises, in words: its classes are known only here
        connection.send((False, summary(error)))


def bring_back(network: Network, image: Array) -> None:
    """Call until caches and predictors are this process's again: once, small networks more often.

    (A step of a GRU with 4 MB of weights takes 0.2 ms in its second call after another process's,
    and half of it in the tenth.)
    """
    started = time.perf_counter()
    while time.perf_counter() - started < WARM_SECONDS:
        network(image)


def summary(error: Exception) -> str:
    """An exception in one line."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


def _aligned(array: Array) -> Array:
    """A copy that begins at a multiple of 64 bytes, which some engines read where it lies."""
    storage = np.empty(array.nbytes + 64, np.uint8)
    begin = -storage.ctypes.data % 64
    copy = storage[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


if __name__ == "__main__":
    main()

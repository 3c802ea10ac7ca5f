"""Turns: so many threads at a time, the others wait."""

from __future__ import annotations

from queue import SimpleQueue


class Turns:
    """A semaphore as a context manager, in a tenth of a microsecond.

    `threading.Semaphore`, which is written in Python, takes one: a twentieth of a small network's
    step.
    """

    def __init__(self, count: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_: object) -> None:
        self._free.put(None)

"""How long lavapipe has run shaders: the time of its own thread for them, and of nothing else.

    threads of the process, by their numbers
      python, ...                               of which some ask in a loop whether all is done
      llvmpipe-0                                draws
      the next one, which has no name           runs shaders: a device has one with LP_NUM_THREADS=1

The time of the process says less: two threads that wait use as much again each, and more while
others are at work on the machine.
"""

from __future__ import annotations

import itertools
from pathlib import Path

_TASKS = Path("/proc/self/task")
_DRAWS = "llvmpipe-0"


def shader_seconds() -> float:
    """Of all devices of this process, since they were opened."""
    numbers = sorted(int(task.name) for task in _TASKS.iterdir())
    pairs = itertools.pairwise(numbers)
    running = [after for one, after in pairs if _read(one, "comm") == _DRAWS]
    if not running:
        raise RuntimeError("found no thread of lavapipe's: is it the device, on Linux?")
    return sum(int(_read(number, "schedstat").split()[0]) for number in running) / 1e9


def _read(number: int, what: str) -> str:
    return (_TASKS / str(number) / what).read_text().strip()

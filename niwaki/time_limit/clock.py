"""Seconds of bundles by a clock that does not wander: beside a small network's calls.

    bundle 0.640 ms, small network 0.1668 ms  -->  3.84 x 0.1595 = 0.612 ms
    bundle 0.599 ms, small network 0.1595 ms  -->  3.76 x 0.1595 = 0.599 ms

A virtual machine's clock wanders by some percent within seconds. All that the small network reads
stays in the caches of its core, so it wanders with the clock alone. A large one does with whoever
else uses the memory, too: within two minutes a pruned MobileNetV2 took 0.355 to 0.392 of the dense
one's calls, and 3.73 to 3.85 times this network's.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from niwaki.compiler import compile
from niwaki.runtime import beside
from niwaki.runtime.bundle import Bundle
from niwaki.temporary import scratch_folder

# The small network's own time is taken so often, with pauses: its clock wanders, too.
LOOKS, PAUSE = 20, 0.1

Clock = Callable[[Bundle], float]


@contextmanager
def steady_clock() -> Iterator[Clock]:
    """What times bundles on one thread of this machine, in the seconds of this process's pace."""
    with _small_network() as small:
        yield lambda bundle: pace() * beside.share_of(bundle, small)


@functools.cache
def pace() -> float:
    """Seconds of a call of the small network, when this process first asked."""
    looks = []
    with _small_network() as small:
        for _ in range(LOOKS):
            looks.append(beside.seconds_of(small))
            time.sleep(PAUSE)
    return median(looks)


@contextmanager
def _small_network() -> Iterator[Bundle]:
    """Four layers of 3x3, 150 kB of weights: a sixth of a millisecond."""
    import torch

    # Whatever the user's defaults are; and what is trained next draws the same numbers.
    plain: dict[str, Any] = {"device": "cpu", "dtype": torch.float32}
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(0)  # the CPU's alone
        layers = [torch.nn.Conv2d(32, 32, 3, padding=1, **plain) for _ in range(4)]
    example = (torch.zeros(1, 32, 14, 14, **plain),)
    with scratch_folder() as folder:
        yield compile(torch.nn.Sequential(*layers).eval(), example, output=folder / "clock.niwaki")

"""How long a network takes, and how much of what another takes, on a machine that does more.

    visit 1: both loaded; one x 6, other x 6, one x 6, ...  -->  fastest calls  -->  0.448
    visit 2: loaded anew                                                        -->  0.446
    ...                                                                median   -->  0.448

The fastest calls of a visit, since what else runs only adds time, and more to long calls than to
short ones: beside busy neighbours medians of calls told half of the right share. In turns, since
the clock wanders, and loaded anew, since a network is faster or slower by where in memory it lies.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from statistics import median, quantiles
from typing import Any

from .bundle import Bundle
from .measure import random_inputs

# Calls of a turn, of which the first are not counted: they find caches full of the other's data.
WARMUP, CALLS, TURNS = 2, 6, 4
# Visits go on until the median is known so well, as half of them tell it by lying around it.
FEWEST, MOST, KNOWN = 7, 40, 0.003

# Seconds of one call.
Caller = Callable[[], float]


def seconds_of(bundle: Bundle) -> float:
    """Of a call on one thread of this machine, when nothing disturbs it."""
    return steady(fastest[0] for fastest in _visits(bundle))


def share_of(bundle: Bundle, other: Bundle) -> float:
    """What a call takes where one of the other takes 1."""
    return steady(one / another for one, another in _visits(bundle, other))


def steady(values: Iterator[float]) -> float:
    """The median of as many as it takes to know it."""
    seen: list[float] = []
    for value in values:
        seen.append(value)
        if (len(seen) >= FEWEST and _doubt(seen) <= KNOWN) or len(seen) == MOST:
            break
    return median(seen)


def in_turns(callers: list[Caller]) -> list[float]:
    """The fastest call of each."""
    fastest = [math.inf] * len(callers)
    for _ in range(TURNS):
        for number, call in enumerate(callers):
            times = [call() for _ in range(WARMUP + CALLS)]
            fastest[number] = min(fastest[number], *times[WARMUP:])
    return fastest


def _visits(*bundles: Bundle) -> Iterator[list[float]]:
    while True:
        with ExitStack() as stack:
            networks = [stack.enter_context(bundle.load(1)) for bundle in bundles]
            inputs = [random_inputs(network.signature.inputs) for network in networks]
            yield in_turns(
                [partial(_call, one, given) for one, given in zip(networks, inputs, strict=True)]
            )


def _call(network: Any, inputs: list[Any]) -> float:
    begin = time.perf_counter()
    network(*inputs)
    return time.perf_counter() - begin


def _doubt(seen: list[float]) -> float:
    """By how much of itself the median may be off."""
    low, middle, high = quantiles(seen, n=4)
    return (high - low) / middle / math.sqrt(len(seen))

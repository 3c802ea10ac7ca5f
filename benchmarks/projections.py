"""How long the projection of a large layer onto each scheme of pruning takes, on one core."""

from __future__ import annotations

import os
import statistics
import time

from figure import Figure
from worker import in_fresh_process

SHAPE = (512, 512, 9)  # 3x3
RATE = 8.0
MOST_SECONDS = 0.5
ROUNDS = 7

# Beside each scheme as it is without parameters.
VARIANTS = (
    "pattern(patterns=4)",
    "pattern(patterns=12)",
    "pattern(taps=5)",
    "pattern(patterns=56, library=central)",
    "pattern(library=published)",
    "pattern(filters=4)",
    "pattern(filters=8)",
    "block_punched(channels=4)",
    "kernel_group(vanilla=true)",
    "block_column_row(row_share=0)",
    "block_column_row(row_share=1)",
    "block_column_row(whole_rows=true)",
)
RATES = {"n_m": 4.0}  # where 8 is none that the scheme has


def measure(core: int) -> list[Figure]:
    """The median of some runs of each, in a process of its own."""
    return in_fresh_process(_measure, core)


def _measure(core: int) -> list[Figure]:
    import numpy as np

    from niwaki.pruning import PRUNING_SCHEMES, parse_scheme

    os.sched_setaffinity(0, {core})
    weights = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    figures = []
    for text in sorted((*PRUNING_SCHEMES, *VARIANTS)):
        # A library of patterns is found once, before pruning.
        scheme = parse_scheme(text).fit(weights)
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            scheme.mask(weights, RATES.get(text, RATE))
            seconds.append(time.perf_counter() - started)
        figures.append(Figure(text, statistics.median(seconds), "s", MOST_SECONDS))
    started = time.perf_counter()
    parse_scheme("pattern").fit(weights)
    natural = time.perf_counter() - started
    return [*figures, Figure("finding the natural library", natural, "s", MOST_SECONDS)]

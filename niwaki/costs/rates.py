"""Rates that layers are asked about; others lie between them."""

from __future__ import annotations

import bisect

# A scheme that cannot have the next lower one is asked for what it can.
RATES = (1.25, 1.5, 2, 2.25, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)


def rates_around(rate: float) -> tuple[float, float] | None:
    """The one below, 1 at the least, and the one above; None for a rate of these and above all."""
    above = bisect.bisect_left(RATES, rate)
    if above == len(RATES) or rate == RATES[above]:
        return None
    return (RATES[above - 1] if above else 1.0), RATES[above]


def nearest_rate(rate: float) -> float:
    """That which keeps most nearly as many weights."""
    return min(RATES, key=lambda one: abs(1 / one - 1 / rate))

"""How rates rise while a network is trained (https://arxiv.org/abs/1710.01878)."""

from __future__ import annotations


def cubic_rate(rate: float, progress: float) -> float:
    """The rate at `progress`, from 0 to 1, on the way to `rate`.

    The share of removed weights is ``s * (1 - (1 - progress)^3)``: much at first, when there is
    much that is redundant.
    """
    removed = (1 - 1 / rate) * (1 - (1 - min(1.0, progress)) ** 3)
    return 1 / (1 - removed)

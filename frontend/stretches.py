"""Padding that repeats a tensor's own values, and rolling, as slices that are joined.

    reflect by 2:  a b c d   -->   c | b | a b c d | c | b
    edge by 1:     a b c d   -->   a | a b c d | d
    wrap by 2:     a b c d   -->   c d | a b c d | a b
    roll by 1:     a b c d   -->   d | a b c

Slices and concatenations move whole rows, and passes can follow channels through them. Looking up
every element on its own takes two to three times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Mode = Literal["reflect", "edge", "wrap"]  # numpy's names, and ONNX's

MOST_SINGLE = 4  # slices of one position in a row: more are looked up together


def padded(size: int, before: int, after: int, mode: Mode) -> Positions:
    """The positions of a dimension that stand side by side once it is padded.

    Negative padding crops. What wraps around is the cropped dimension.
    """
    crop = slice(max(-before, 0), -max(-after, 0) or None)
    grown = max(before, 0), max(after, 0)
    whole = np.arange(size)
    found = np.pad(whole[crop], grown, mode) if mode == "wrap" else np.pad(whole, grown, mode)[crop]
    return np.asarray(found, np.int64)


def stretches(positions: Sequence[int] | Positions) -> list[Positions]:
    """Cut `positions` where they do not ascend by one; many single ones in a row stay together."""
    cuts = np.flatnonzero(np.diff(positions) != 1) + 1
    parts: list[Positions] = []
    for is_single, neighbours in groupby(np.split(positions, cuts), lambda part: len(part) == 1):
        group = list(neighbours)
        together = is_single and len(group) > MOST_SINGLE
        parts += [np.concatenate(group)] if together else group
    return parts


def is_slice(part: Positions) -> bool:
    """Whether a stretch ascends by one."""
    return bool((np.diff(part) == 1).all())

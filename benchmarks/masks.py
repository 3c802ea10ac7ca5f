"""Which weights pruning keeps, by size alone: the benchmarks need shapes, not accuracy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from engines.base import Array

from niwaki.schemes import (
    block_column_row_mask,
    block_punched_mask,
    kernel_group_mask,
    pattern_mask,
)

Mask = Callable[[Array, float], Array]

BLOCK = 8  # filters that keep the same columns
COLUMN_ROW = (16, 64)  # filters and columns of a block
ROW_RATE = 10 / 7  # of a block's rows, one in so many stays
KERNEL_GROUP = (8, 4)  # filters and channels that keep the same taps: RT3D's setting

# The taps of a 3x3 kernel, row by row, that each pattern keeps: the centre and three beside it.
PATTERNS = (
    (4, 5, 7, 8),
    (3, 4, 6, 7),
    (1, 2, 4, 5),
    (0, 1, 3, 4),
    (1, 3, 4, 5),
    (3, 4, 5, 7),
    (1, 4, 5, 7),
    (1, 3, 4, 7),
)
TAPS = 9


def block_punched(weights: Array, rate: float) -> Array:
    """``weights[F, C, T]``: each 8 consecutive filters keep the same channels and taps."""
    return block_punched_mask(weights, rate, BLOCK)


def kernel_groups(weights: Array, rate: float) -> Array:
    """``weights[F, C, T]``: each 8 filters x 4 channels keep the same taps (RT3D's KGS)."""
    return kernel_group_mask(weights, rate, *KERNEL_GROUP)


def pattern(weights: Array, rate: float) -> Array:
    """``weights[F, C, 9]``: four taps of a kernel by one of PATTERNS, and the strongest kernels.

    PatDNN (https://arxiv.org/abs/2001.00138) prunes so. Each kernel gets the pattern that keeps
    most of its energy; then each filter keeps as many kernels as leave one weight in `rate`.
    """
    taps = weights.shape[2]
    if taps != TAPS:
        raise ValueError(f"patterns are of 3x3 kernels, not of {taps} taps")
    return pattern_mask(weights, PATTERNS, rate * len(PATTERNS[0]) / TAPS)


def rows_and_columns(weights: Array, rate: float) -> Array:
    """Each block of 16 filters x 64 columns keeps a set of rows and a set of columns.

    GRIM (https://arxiv.org/abs/2108.11033) prunes so; most of the rate are columns.
    """
    return block_column_row_mask(weights, rate / ROW_RATE, ROW_RATE, *COLUMN_ROW)


def unstructured(weights: Array, rate: float) -> Array:
    """The layer's largest weights, wherever they are."""
    order = np.argsort(-np.abs(weights), axis=None, kind="stable")
    mask = np.zeros(weights.size, dtype=np.bool_)
    mask[order[: round(weights.size / rate)]] = True
    return mask.reshape(weights.shape)


# Shape of what is left -> who chooses it.
MASKS: dict[str, Mask] = {
    "block-punched": block_punched,
    "kernel groups": kernel_groups,
    "pattern": pattern,
    "rows and columns": rows_and_columns,
    "unstructured": unstructured,
}

"""Blocks of filters that share their columns: kernels compute them together, or slower apart.

filters 0 to 7 keep columns 3, 9 and 20, and nothing reads filter 5
  --> filter 5 stays: without it blocks of eight would begin anywhere, and be blocks of four or one

Where many filters go, what is left is smaller by more than blocks gain.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .facts import Array, Weights

BLOCKS = "they share their columns with filters that stay"
# Filters of a block at most: as many as one tile of a kernel has. More of them are a layer whose
# input channels are pruned.
MOST = 16
# Of a layer's filters, those that may stay for the sake of blocks.
FEW = 0.25


def completing_blocks(weights: Weights, needed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Filters that nothing needs, but that share columns with neighbours that stay."""
    masks = weights.array.reshape(len(weights.array), -1) != 0
    every = masks.any(axis=0)
    part = masks.any(axis=1) & (masks != every).any(axis=1)
    run = _runs(masks)
    sizes = np.bincount(run)[run]
    stays = np.bincount(run, weights=needed)[run] > 0
    found: npt.NDArray[np.bool_] = part & (sizes > 1) & (sizes <= MOST) & stays & ~needed
    return found if found.sum() <= FEW * len(masks) else np.zeros_like(found)


def _runs(masks: npt.NDArray[np.bool_]) -> Array:
    """For each filter the number of its run of neighbours with the same columns."""
    differs = (masks[1:] != masks[:-1]).any(axis=1)
    return np.concatenate([[0], np.cumsum(differs)])

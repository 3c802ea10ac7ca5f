"""An order of filters in which neighbours keep the same columns, so that they can share loads.

The filter reorder of PatDNN (https://arxiv.org/abs/2001.00138) and the matrix reorder of GRIM
(https://arxiv.org/abs/2108.11033): longest filters first, so that blocks that follow one another
have like lengths, and behind each the filters most similar to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .base import Bools

Order = npt.NDArray[np.intp]

# Comparing all filters takes filters^2 x columns steps; beyond so many, columns are sampled.
MOST_STEPS = 2**32


def similar_order(nonzero: Bools, block: int, segments: int = 1) -> Order:
    """Filters of ``bool[F, ...]`` by similarity: `order[i]` is the filter that becomes number i.

    Every `block` filters of the order share as many kept columns as a greedy choice finds: the
    longest filter that is left begins a block, and the next is always the one with which the block
    stores the fewest zeros more; of equals the first. Filters that keep the same columns come out
    side by side, whatever order they were in.

    Filters stay within `segments` equal parts, the groups of a convolution.
    """
    rows = _sample(nonzero.reshape(len(nonzero), -1))
    filters = len(rows) // segments
    parts = [
        first + _similar(rows[first : first + filters], block)
        for first in range(0, len(rows), filters)
    ]
    return np.concatenate(parts)


def _sample(rows: Bools) -> Bools:
    """As many of the columns, spread at random, as the comparison may look at."""
    filters, columns = rows.shape
    most = max(1, MOST_STEPS // filters**2)
    if columns <= most:
        return rows
    return rows[:, np.sort(np.random.default_rng(0).permutation(columns)[:most])]


def _similar(rows: Bools, block: int) -> Order:
    """`similar_order` of one segment."""
    lengths = np.count_nonzero(rows, axis=1)
    columns = np.ascontiguousarray(rows.T)
    left = np.ones(len(rows), dtype=np.bool_)
    order = np.empty(len(rows), dtype=np.intp)
    shared = np.zeros(len(rows), dtype=np.int64)  # columns that a filter and the block keep
    union = np.zeros(rows.shape[1], dtype=np.bool_)
    for place in range(len(rows)):
        if place % block == 0:
            # A filter that keeps just what the last block does goes on with it.
            same = (lengths == shared) & (lengths == np.count_nonzero(union))
            score = lengths + same * (1 + rows.shape[1])
            shared[:] = 0
            union[:] = False
        else:
            kept, members = np.count_nonzero(union), place % block
            score = shared - kept - (lengths - shared) * members
        filter_ = int(np.where(left, score, np.iinfo(np.int64).min).argmax())
        order[place] = filter_
        left[filter_] = False
        new = np.flatnonzero(rows[filter_] & ~union)
        union[new] = True
        shared += np.count_nonzero(columns[new], axis=0)
    return order

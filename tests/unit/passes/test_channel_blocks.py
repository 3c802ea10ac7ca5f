"""Filters stay that complete a block of shared columns, unless these are many."""

from __future__ import annotations

import numpy as np
import pytest

from niwaki.passes.channels.blocks import completing_blocks
from niwaki.passes.channels.facts import Weights


def weights(masks: list[list[int]]) -> Weights:
    array = np.array(masks, np.float32)[:, :, None]
    return Weights(array, np.asarray(array.any(axis=2)), 1, np.zeros(len(array)), changed=False)


A, B, FULL, NONE = [1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 0]


@pytest.mark.parametrize(
    ("masks", "needed", "stays"),
    [
        # Of two blocks one lacks a filter.
        ([A] * 4 + [B] * 4, [1, 1, 0, 1, 1, 1, 1, 1], [2]),
        # Nothing reads a block at all.
        ([A] * 4 + [B] * 4, [1, 1, 1, 1, 0, 0, 0, 0], []),
        # Half of the filters would stay for nothing.
        ([A] * 4 + [B] * 4, [1, 0, 0, 1, 1, 0, 1, 0], []),
        # Filters that read all channels that any does share them with every other one.
        ([FULL] * 8, [1, 1, 0, 1, 1, 1, 1, 1], []),
        # Neither has a filter of zeros a block, nor one with columns of its own.
        ([A, NONE, A, B, A, B, A, B], [1, 0, 1, 0, 1, 1, 1, 1], []),
        # More filters than a tile has: the channels are pruned.
        ([A] * 20 + [B], [0, *[1] * 20], []),
    ],
)
def test_completing_blocks(masks: list[list[int]], needed: list[int], stays: list[int]) -> None:
    found = completing_blocks(weights(masks), np.array(needed, np.bool_))
    assert np.flatnonzero(found).tolist() == stays

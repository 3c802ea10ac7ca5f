"""Orders of filters: permutations within segments that bring hidden blocks together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers

from niwaki.schemes import BlockPunched, detect, similar_order, similarity

seeds = st.integers(0, 2**32 - 1)


@given(layers(), st.integers(1, 9))
def test_filters_stay_within_their_segments(layer: Layer, block: int) -> None:
    order = similar_order(layer.nonzero, block, layer.groups)
    segments = order.reshape(layer.groups, -1)
    expected = np.arange(order.size).reshape(segments.shape)
    np.testing.assert_array_equal(np.sort(segments, axis=1), expected)


@given(
    seed=seeds,
    block=st.sampled_from([2, 4, 8]),
    blocks=st.integers(1, 9),
    columns=st.integers(1, 40),
    segments=st.integers(1, 3),
)
def test_hidden_blocks_are_found(
    seed: int, block: int, blocks: int, columns: int, segments: int
) -> None:
    """Whatever order the filters of blocks come in: sorted, each block keeps one set of columns."""
    rng = np.random.default_rng(seed)
    kept = np.repeat(rng.random((segments * blocks, columns)) < 0.5, block, axis=0)
    size = block * blocks
    shuffled = np.concatenate(
        [kept[first + rng.permutation(size)] for first in range(0, len(kept), size)]
    )
    found = shuffled[similar_order(shuffled, block, segments)]
    assert BlockPunched(block, 1).stored(found[:, :, None]) == np.count_nonzero(kept)


def test_blocks_with_strays_are_found() -> None:
    """Blocks of which some weights happen to be zero and that keep a few others."""
    rng = np.random.default_rng(0)
    kept = np.repeat(rng.random((16, 64, 9)) < 0.15, 8, axis=0)
    noisy = (kept & (rng.random(kept.shape) > 0.01)) | (rng.random(kept.shape) < 0.001)
    shuffled = noisy[rng.permutation(128)]
    assert str(detect(shuffled).scheme) == "unstructured"
    assert detect(shuffled[similar_order(shuffled, 8)]).cost == detect(noisy).cost


def test_longest_filters_come_first() -> None:
    lengths = np.array([1, 7, 3, 7, 1, 3, 5, 5])
    nonzero = np.arange(8) < lengths[:, None]
    assert similar_order(nonzero, 2).tolist() == [1, 3, 6, 7, 2, 5, 0, 4]


def test_equal_blocks_follow_one_another() -> None:
    """So that taller blocks are found too."""
    kinds = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    nonzero = kinds[:, None] == np.array([0, 0, 1, 1])
    assert kinds[similar_order(nonzero, 2)].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_large_layers_are_compared_by_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    kept = np.repeat(rng.random((8, 500)) < 0.5, 8, axis=0)
    shuffled = kept[rng.permutation(64)]
    monkeypatch.setattr(similarity, "MOST_STEPS", 64**2 * 50)
    found = shuffled[similar_order(shuffled, 8)]
    assert BlockPunched(8, 1).stored(found[:, :, None]) == np.count_nonzero(kept)

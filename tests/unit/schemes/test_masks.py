"""What each scheme stores, against loops that spell its definition out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers, schemes

from niwaki.schemes import (
    BlockPunched,
    Channel,
    Dense,
    Scheme,
    SchemeError,
    Unstructured,
    block_punched_mask,
)
from niwaki.schemes.base import Bools


@given(layers(), schemes())
def test_mask_covers_the_nonzeros_and_is_its_own_mask(layer: Layer, scheme: Scheme) -> None:
    mask = scheme.mask(layer.nonzero, layer.groups)
    assert mask.dtype == np.bool_
    assert not (layer.nonzero & ~mask).any()
    assert np.array_equal(scheme.mask(mask, layer.groups), mask)
    assert scheme.stored(layer.nonzero, layer.groups) == mask.sum()
    assert scheme.density(layer.nonzero, layer.groups) == mask.mean()


@given(layers(), schemes())
def test_filters_of_a_block_keep_the_same_columns(layer: Layer, scheme: Scheme) -> None:
    filters, channels, taps = layer.weights.shape
    group_filters = filters // layer.groups
    size = scheme.filters_per_block((filters, channels, taps), layer.groups)
    mask = scheme.mask(layer.nonzero, layer.groups)
    for group in np.split(mask, layer.groups):
        for first in range(0, group_filters, size):
            block = group[first : first + size]
            live = block[block.any(axis=(1, 2))]  # `Channel` drops some filters of a block
            assert (live == live[:1]).all()


@given(layers())
def test_dense_stores_all(layer: Layer) -> None:
    assert Dense().mask(layer.nonzero, layer.groups).all()


@given(layers())
def test_unstructured_stores_the_nonzeros(layer: Layer) -> None:
    mask = Unstructured().mask(layer.nonzero, layer.groups)
    assert np.array_equal(mask, layer.nonzero)


@given(layers())
def test_channel_stores_live_filters_x_live_channels(layer: Layer) -> None:
    mask = Channel().mask(layer.nonzero, layer.groups)
    kept_of_groups = np.split(mask, layer.groups)
    for nonzero, kept in zip(np.split(layer.nonzero, layer.groups), kept_of_groups, strict=True):
        for filter_, channel in np.ndindex(nonzero.shape[:2]):
            expected = nonzero[filter_].any() and nonzero[:, channel].any()
            assert (kept[filter_, channel] == expected).all()


@given(layers(), st.integers(1, 20), st.integers(1, 10))
def test_block_punched_stores_a_blocks_taps(layer: Layer, filters: int, channels: int) -> None:
    mask = BlockPunched(filters, channels).mask(layer.nonzero, layer.groups)
    kept_of_groups = np.split(mask, layer.groups)
    for nonzero, kept in zip(np.split(layer.nonzero, layer.groups), kept_of_groups, strict=True):
        for first in range(0, nonzero.shape[0], filters):
            for channel in range(0, nonzero.shape[1], channels):
                block = np.s_[first : first + filters, channel : channel + channels]
                assert (kept[block] == nonzero[block].any(axis=(0, 1))).all()


def test_a_mask_may_be_written_to() -> None:
    nonzero = np.ones((4, 4, 9), dtype=np.bool_)
    for scheme in (Dense(), Channel(), BlockPunched(2, 2), Unstructured()):
        scheme.mask(nonzero)[:] = False
    assert nonzero.all()


@given(layers(), st.sampled_from([1, 1.5, 2, 8, 1000]), st.integers(1, 20))
def test_projection_keeps_the_strongest_columns(layer: Layer, rate: float, filters: int) -> None:
    mask = block_punched_mask(layer.weights, rate, filters, layer.groups)
    assert np.array_equal(BlockPunched(filters, 1).mask(mask, layer.groups), mask)
    _, channels, taps = layer.weights.shape
    for weights, kept in _blocks(layer, mask, filters):
        columns = kept.any(axis=0)
        assert columns.sum() == round(channels * taps / rate)
        norms = np.linalg.norm(weights.astype(np.float64), axis=0)
        if columns.any() and not columns.all():
            assert norms[columns].min() >= norms[~columns].max()


def _blocks(layer: Layer, mask: Bools, filters: int) -> list[tuple[np.ndarray, Bools]]:
    rows = layer.weights.reshape(layer.groups, -1, layer.weights[0].size)
    kept = mask.reshape(rows.shape)
    starts = range(0, rows.shape[1], filters)
    blocks = [
        np.s_[group, first : first + filters] for group in range(layer.groups) for first in starts
    ]
    return [(rows[block], kept[block]) for block in blocks]


def test_projection_of_equal_nan_and_huge_columns() -> None:
    weights = np.ones((4, 1, 4), dtype=np.float32)
    assert block_punched_mask(weights, 2, 2)[0].tolist() == [[True, True, False, False]]
    weights[:, 0, 2], weights[0, 0, 3] = 3e38, np.nan
    mask = block_punched_mask(weights, 2, 2)
    assert mask[0].tolist() == [[False, False, True, True]]
    assert mask[2].tolist() == [[True, False, True, False]]


@pytest.mark.parametrize("rate", [0.5, 0, -1, float("nan")])
def test_projection_refuses_a_rate_below_1(rate: float) -> None:
    message = rf"^a pruning rate is at least 1 \(8 keeps one weight in 8\), not {rate}$"
    with pytest.raises(SchemeError, match=message):
        block_punched_mask(np.ones((4, 4, 1)), rate, 2)


def test_projection_refuses_empty_blocks() -> None:
    with pytest.raises(SchemeError, match=r"^block_punched\(0x1\) needs blocks of at least 1"):
        block_punched_mask(np.ones((4, 4, 1)), 2, 0)

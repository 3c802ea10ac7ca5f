"""What each scheme stores, against loops that spell its definition out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers, layers_and_schemes, pattern_layers

from niwaki.schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Dense,
    Pattern,
    Scheme,
    SchemeError,
    Unstructured,
)


@given(st.one_of(layers_and_schemes(), pattern_layers()))
def test_mask_covers_the_nonzeros_and_is_its_own_mask(given: tuple[Layer, Scheme]) -> None:
    layer, scheme = given
    mask = scheme.mask(layer.nonzero, layer.groups)
    assert mask.dtype == np.bool_
    assert not (layer.nonzero & ~mask).any()
    assert np.array_equal(scheme.mask(mask, layer.groups), mask)
    assert scheme.stored(layer.nonzero, layer.groups) == mask.sum()
    assert scheme.density(layer.nonzero, layer.groups) == mask.mean()


@given(st.one_of(layers_and_schemes(), pattern_layers()))
def test_filters_of_a_block_keep_the_same_columns(given: tuple[Layer, Scheme]) -> None:
    layer, scheme = given
    filters, channels, taps = layer.weights.shape
    group_filters = filters // layer.groups
    size = scheme.filters_per_block((filters, channels, taps), layer.groups)
    mask = scheme.mask(layer.nonzero, layer.groups)
    computed = 0
    for group in np.split(mask, layer.groups):
        for first in range(0, group_filters, size):
            block = group[first : first + size]
            live = block[block.any(axis=(1, 2))]  # `Channel` drops some filters of a block
            assert (live == live[:1]).all() or isinstance(scheme, BlockColumnRow)
            filters_ = len(live) if isinstance(scheme, Channel) else len(block)
            computed += filters_ * int(np.count_nonzero(block.any(axis=0)))
    assert scheme.computed(layer.nonzero, layer.groups) == computed


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


@given(layers(), st.integers(1, 20), st.integers(1, 40))
def test_block_column_row_stores_rows_x_columns(layer: Layer, filters: int, columns: int) -> None:
    mask = BlockColumnRow(filters, columns).mask(layer.nonzero, layer.groups)
    matrices = (array.reshape(layer.groups, -1, mask[0].size) for array in (layer.nonzero, mask))
    for nonzero, kept in zip(*matrices, strict=True):
        for row in range(0, nonzero.shape[0], filters):
            for column in range(0, nonzero.shape[1], columns):
                block = nonzero[row : row + filters, column : column + columns]
                expected = np.outer(block.any(axis=1), block.any(axis=0))
                assert (kept[row : row + filters, column : column + columns] == expected).all()


@given(pattern_layers())
def test_pattern_stores_whole_patterns(given: tuple[Layer, Pattern]) -> None:
    layer, scheme = given
    _, channels, taps = layer.weights.shape
    mask = scheme.mask(layer.nonzero, layer.groups).reshape(layer.groups, -1, channels, taps)
    nonzero = layer.nonzero.reshape(mask.shape)
    patterns: Counter[bytes] = Counter()
    strays = kernels = 0
    for group in range(layer.groups):
        for first in range(0, mask.shape[1], scheme.filters):
            block = np.s_[group, first : first + scheme.filters]
            for channel in range(channels):
                kept, before = (a[block][:, channel].any(axis=0) for a in (mask, nonzero))
                kernels += bool(before.any())
                if kept.sum() == scheme.taps:
                    patterns[kept.tobytes()] += 1
                else:
                    strays += bool(kept.any())
                    assert (kept == before).all()
    strays += sum(uses for _, uses in patterns.most_common()[scheme.patterns :])
    assert strays <= kernels / 16


def test_pattern_fills_kernels_up_and_keeps_strays() -> None:
    nonzero = np.zeros((1, 40, 9), dtype=np.bool_)
    nonzero[0, :20, [0, 1, 3, 4]] = True
    nonzero[0, 20:30, [4, 5, 7, 8]] = True
    nonzero[0, 5, 3] = False  # a stray zero
    nonzero[0, 20, [4, 5]] = False  # two of them
    nonzero[0, 0, 8] = True  # a stray weight
    nonzero[0, 39, 5] = True  # one in a removed kernel
    mask = Pattern(4, 2, 1).mask(nonzero)
    kept = [tuple(np.flatnonzero(row).tolist()) for row in mask[0]]
    assert kept[0] == (0, 1, 3, 4, 8)
    assert set(kept[1:20]) == {(0, 1, 3, 4)}
    assert set(kept[20:30]) == {(4, 5, 7, 8)}
    assert set(kept[30:39]) == {()}
    assert kept[39] == (4, 5, 7, 8)


def test_pattern_makes_patterns_that_no_kernel_shows() -> None:
    nonzero = np.zeros((1, 6, 9), dtype=np.bool_)
    for channel, taps in enumerate([(0, 1, 2), (3, 4), (5,), (8,), (8,)]):
        nonzero[0, channel, list(taps)] = True
    assert [tuple(np.flatnonzero(row).tolist()) for row in Pattern(4, 2, 1).mask(nonzero)[0]] == [
        (0, 1, 2, 8),
        (0, 3, 4, 5),
        (0, 3, 4, 5),
        (0, 1, 2, 8),
        (0, 1, 2, 8),
        (),
    ]


@given(layers(), st.integers(1, 10), st.integers(0, 9))
def test_n_m_stores_the_nonzeros(layer: Layer, n: int, more: int) -> None:
    m = n + more
    channels = range(0, layer.weights.shape[1], m)
    most = np.add.reduceat(layer.nonzero.astype(int), channels, axis=1).max()
    if most <= n:
        assert np.array_equal(NM(n, m).mask(layer.nonzero, layer.groups), layer.nonzero)
    else:
        with pytest.raises(
            SchemeError, match=f"^{most} of {m} consecutive channels are kept, more"
        ):
            NM(n, m).mask(layer.nonzero, layer.groups)


def test_a_mask_may_be_written_to() -> None:
    nonzero = np.ones((4, 4, 9), dtype=np.bool_)
    for scheme in (
        Dense(),
        Channel(),
        Pattern(9, 1, 2),
        BlockPunched(2, 2),
        NM(4, 4),
        Unstructured(),
    ):
        scheme.mask(nonzero)[:] = False
    assert nonzero.all()

"""Projections: the masks that pruning applies, against norms computed one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers

from niwaki.schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Pattern,
    SchemeError,
    block_column_row_mask,
    block_punched_mask,
    channel_mask,
    filter_mask,
    kernel_group_mask,
    n_m_mask,
    natural_library,
    pattern_mask,
    unstructured_mask,
)
from niwaki.schemes.base import Bools, Weights

RATES = st.sampled_from([1, 1.5, 2, 8, 1000])
CORNERS = [(4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4)]


@given(layers(), RATES, st.integers(1, 20))
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


@given(layers(), RATES, st.sampled_from([1, 2, 4, 20]), st.data())
def test_projection_onto_patterns(
    layer: Layer, rate: float, filters: int, data: st.DataObject
) -> None:
    total, channels, taps = layer.weights.shape
    size = data.draw(st.integers(1, taps))
    sets = st.sampled_from(list(itertools.combinations(range(taps), size)))
    library = data.draw(st.lists(sets, min_size=1, max_size=8))
    mask = pattern_mask(layer.weights, library, rate, filters, layer.groups)
    Pattern(size, len(library), filters).verify(mask, layer.groups)
    shape = (layer.groups, total // layer.groups, channels, taps)
    weights = layer.weights.astype(np.float64).reshape(shape)
    for group, first in itertools.product(range(layer.groups), range(0, shape[1], filters)):
        block = np.s_[group, first : first + filters]
        kept = mask.reshape(shape)[block]
        assert (kept == kept[0]).all()
        norms = np.array(
            [[np.square(kernel[:, list(p)]).sum() for p in library]
             for kernel in weights[block].transpose(1, 0, 2)]
        )  # fmt: skip
        live = kept[0].any(axis=1)
        assert live.sum() == round(channels / rate)
        for channel in np.flatnonzero(live):
            chosen = library.index(tuple(np.flatnonzero(kept[0, channel]).tolist()))
            assert norms[channel, chosen] >= norms[channel].max() * (1 - 1e-12)
        if live.any() and not live.all():
            assert norms.max(axis=1)[live].min() >= norms.max(axis=1)[~live].max() * (1 - 1e-12)


def test_natural_library_counts_votes() -> None:
    weights = np.zeros((4, 5, 9), dtype=np.float32)
    weights[:2, :, [0, 1, 3, 4]] = -1
    weights[2:, :4, [4, 5, 7, 8]] = np.nan
    weights[2:, 4, [0, 4, 5, 8]] = 1
    assert natural_library(weights, 4, 8) == [(0, 1, 3, 4), (4, 5, 7, 8), (0, 4, 5, 8)]
    assert natural_library(weights, 4, 1) == [(0, 1, 3, 4)]


@given(layers(), RATES, RATES, st.integers(1, 20), st.integers(1, 40))
def test_projection_onto_columns_and_rows(
    layer: Layer, column_rate: float, row_rate: float, filters: int, columns: int
) -> None:
    mask = block_column_row_mask(
        layer.weights, column_rate, row_rate, filters, columns, layer.groups
    )
    scheme = BlockColumnRow(filters, columns)
    assert np.array_equal(scheme.mask(mask, layer.groups), mask)
    kept = mask.reshape(layer.groups, -1, mask[0].size)
    weights = layer.weights.astype(np.float64).reshape(kept.shape)
    filters, columns = min(filters, kept.shape[1]), min(columns, kept.shape[2])
    starts = (
        range(layer.groups),
        *(range(0, n, size) for n, size in zip(kept.shape[1:], (filters, columns), strict=True)),
    )
    for group, row, column in itertools.product(*starts):
        block = np.s_[group, row : row + filters, column : column + columns]
        rows, cols = kept[block].any(axis=1), kept[block].any(axis=0)
        height, width = kept[block].shape
        if min(round(filters / row_rate), round(columns / column_rate)) == 0:
            assert not kept[block].any()
            continue
        # A smaller block at the end keeps as large a share.
        most_rows, most_cols = max(1, round(height / row_rate)), max(1, round(width / column_rate))
        assert (rows.sum(), cols.sum()) == (most_rows, most_cols)
        norms = np.square(weights[block]).sum(axis=0)
        if not cols.all():
            assert norms[cols].min() >= norms[~cols].max() * (1 - 1e-12)
        norms = np.square(weights[block][:, cols]).sum(axis=1)
        if not rows.all():
            assert norms[rows].min() >= norms[~rows].max() * (1 - 1e-12)


@given(layers(), st.integers(1, 9), st.integers(0, 9))
def test_projection_onto_n_of_m(layer: Layer, n: int, more: int) -> None:
    m = n + more
    mask = n_m_mask(layer.weights, n, m)
    NM(n, m).verify(mask, layer.groups)
    for first in range(0, mask.shape[1], m):
        kept = mask[:, first : first + m]
        assert (kept.sum(axis=1) == min(n, kept.shape[1])).all()
        size = np.abs(layer.weights[:, first : first + m])
        weakest = np.where(kept, size, np.inf).min(axis=1)
        assert (weakest >= np.where(kept, 0, size).max(axis=1)).all()


@given(layers(), RATES, st.integers(1, 20), st.integers(1, 10), st.booleans())
def test_projection_onto_kernel_groups(
    layer: Layer, rate: float, filters: int, channels: int, vanilla: bool
) -> None:
    mask = kernel_group_mask(layer.weights, rate, filters, channels, layer.groups, vanilla)
    assert np.array_equal(BlockPunched(filters, channels).mask(mask, layer.groups), mask)
    kept = mask.reshape(layer.groups, -1, *mask.shape[1:])
    weights = layer.weights.astype(np.float64).reshape(kept.shape)
    starts = (
        range(layer.groups),
        range(0, kept.shape[1], filters),
        range(0, kept.shape[2], channels),
    )
    live, score, largest = [], [], 0
    for group, row, column in itertools.product(*starts):
        block = np.s_[group, row : row + filters, column : column + channels]
        axes = (0, 1, 2) if vanilla else (0, 1)
        live.append(kept[block].any(axis=axes))
        score.append(np.square(weights[block]).mean(axis=axes))
        largest = max(largest, kept[block].size // np.size(live[-1]))
    chosen, scores = np.ravel(live), np.ravel(score)
    assert abs(mask.sum() - mask.size / rate) <= largest / 2
    if chosen.any() and not chosen.all():
        assert scores[chosen].min() >= scores[~chosen].max() * (1 - 1e-12)


@given(layers(), RATES, st.booleans())
def test_projection_onto_filters_and_channels(layer: Layer, rate: float, whole: bool) -> None:
    project = filter_mask if whole else channel_mask
    mask = project(layer.weights, rate, layer.groups)
    total, channels, taps = mask.shape
    shape = (layer.groups, total // layer.groups, channels, taps)
    for weights, kept in zip(layer.weights.reshape(shape), mask.reshape(shape), strict=True):
        axes = (1, 2) if whole else (0, 2)
        live = kept.any(axis=axes)
        assert np.array_equal(live, kept.all(axis=axes))
        assert live.sum() == round(live.size / rate)
        energy = np.square(weights.astype(np.float64)).sum(axis=axes)
        if live.any() and not live.all():
            assert energy[live].min() >= energy[~live].max() * (1 - 1e-12)


def test_projections_of_equal_nan_and_huge_weights() -> None:
    weights = np.ones((2, 4, 4), dtype=np.float32)
    weights[1, :, 2], weights[1, 1, 3] = 3e38, np.nan
    patterns = pattern_mask(weights, [(0, 1), (1, 2), (2, 3)], 2)
    assert patterns[0].tolist() == [[True, True, False, False]] * 2 + [[False] * 4] * 2
    assert patterns[1].tolist() == [
        [False] * 4 if c > 1 else [False, c == 0, True, c == 1] for c in range(4)
    ]
    assert n_m_mask(weights, 1, 4)[:, :, 3].tolist() == [
        [True, False, False, False],
        [False, True, False, False],
    ]
    rows = block_column_row_mask(weights, 16, 2, 2, 16)
    assert np.argwhere(rows).tolist() == [[1, 1, 3]]
    assert np.argwhere(kernel_group_mask(weights, 4, 2, 4)).tolist() == [
        [f, c, 3] for f in (0, 1) for c in range(4)
    ]


@pytest.mark.parametrize("rate", [0.5, 0, -1, float("nan")])
def test_projection_refuses_a_rate_below_1(rate: float) -> None:
    message = rf"^a pruning rate is at least 1 \(8 keeps one weight in 8\), not {rate}$"
    with pytest.raises(SchemeError, match=message):
        block_punched_mask(np.ones((4, 4, 1)), rate, 2)


def test_projection_refuses_empty_blocks() -> None:
    with pytest.raises(SchemeError, match=r"^block_punched\(0x1\) needs blocks of at least 1"):
        block_punched_mask(np.ones((4, 4, 1)), 2, 0)


@pytest.mark.parametrize(
    "make",
    [
        partial(pattern_mask, library=CORNERS, rate=0.5),
        partial(block_column_row_mask, column_rate=0.5, row_rate=1, filters=2, columns=4),
        partial(block_column_row_mask, column_rate=1, row_rate=0.5, filters=2, columns=4),
        partial(kernel_group_mask, rate=0.5),
        partial(unstructured_mask, rate=0.5),
        partial(filter_mask, rate=0.5),
        partial(channel_mask, rate=0.5),
    ],
)
def test_every_projection_refuses_a_rate_below_1(make: Callable[[Weights], Bools]) -> None:
    with pytest.raises(SchemeError, match=r"^a pruning rate is at least 1 .* not 0\.5$"):
        make(np.ones((4, 4, 9)))


@pytest.mark.parametrize("library", [[], [(0, 9)], [(-1,)]])
def test_projection_refuses_patterns_that_kernels_have_not(library: list[tuple[int, ...]]) -> None:
    with pytest.raises(SchemeError, match=r"^a library needs patterns of taps 0 to 8, not \["):
        pattern_mask(np.ones((4, 4, 9)), library, 2)


def test_projections_refuse_other_parameters_that_fit_nothing() -> None:
    weights = np.ones((4, 4, 9))
    with pytest.raises(SchemeError, match=r"^at least 1 filter has a pattern, not 0$"):
        pattern_mask(weights, CORNERS, 2, filters=0)
    with pytest.raises(SchemeError, match=r"^block_column_row\(0x4\) needs blocks of at least"):
        block_column_row_mask(weights, 2, 2, 0, 4)
    with pytest.raises(SchemeError, match=r"^n_m\(3:2\) keeps 3 of 2: choose from 1 to 2$"):
        n_m_mask(weights, 3, 2)
    with pytest.raises(SchemeError, match=r"^block_punched\(0x4\) needs blocks of at least"):
        kernel_group_mask(weights, 2, filters=0)
    with pytest.raises(SchemeError, match=r"^patterns are found in kernels of up to 62 taps"):
        natural_library(np.ones((2, 2, 81)), 4, 8)
    with pytest.raises(SchemeError, match=r"^kernels of 9 taps have no patterns of 10$"):
        natural_library(weights, 10, 8)

"""Kernels with patterns in the order of channels: what the arrays promise, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, fits, pattern_layers

from niwaki.schemes import (
    Pattern,
    PatternGroups,
    group_patterns,
    pack_fkw,
    pattern_mask,
    ungroup_patterns,
)

CORNERS = [(4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4)]


@st.composite
def grouped_layers(draw: st.DrawFn) -> tuple[Layer, PatternGroups]:
    """Layers with stray weights and removed kernels or nothing at all, in groups of any height."""
    layer, scheme = draw(pattern_layers())
    alone = Pattern(scheme.taps, scheme.patterns, 1)
    if not fits(alone, layer):  # what neighbours shared may be more than so many patterns
        layer = Layer(np.zeros_like(layer.weights), layer.groups)
    packed = pack_fkw(layer.weights, alone, layer.groups)
    return layer, group_patterns(packed, draw(st.sampled_from([1, 2, 3, 8, 256])))


@given(grouped_layers())
def test_round_trip(given: tuple[Layer, PatternGroups]) -> None:
    layer, packed = given
    found = ungroup_patterns(packed)
    assert found.dtype == layer.weights.dtype
    assert np.array_equal(found, layer.weights)


@given(grouped_layers())
def test_layout(given: tuple[Layer, PatternGroups]) -> None:
    layer, packed = given
    filters, channels, taps = layer.weights.shape
    group_filters = filters // layer.groups
    groups = layer.groups * -(-group_filters // packed.height)
    kernels = len(packed.filters)
    assert packed.counts.shape == (groups, channels, len(packed.patterns))
    assert packed.counts.sum() == kernels
    assert packed.values.shape == (kernels, packed.patterns.shape[1])
    assert 1 <= packed.height <= group_filters
    assert len(packed.patterns) >= 1
    assert packed.patterns.max() < taps

    # A group starts where the kernels of the groups before it end.
    ends = np.cumsum(packed.counts.sum(axis=(1, 2)))
    assert packed.starts.tolist() == [0, *ends[:-1]]

    # A filter has a kernel with a channel and a pattern once, and filters ascend.
    run = np.repeat(np.arange(packed.counts.size), packed.counts.ravel())
    places = list(zip(run.tolist(), packed.filters.tolist(), strict=True))
    assert places == sorted(set(places))

    # The last group of a convolution's group may have fewer filters.
    height = np.minimum(packed.height, group_filters - np.arange(0, group_filters, packed.height))
    rows = np.tile(height, layer.groups)[run // (channels * len(packed.patterns))]
    assert (packed.filters < rows).all()


def test_order() -> None:
    """By group of filters, channel, pattern and filter, whatever order FKW has."""
    weights = np.zeros((5, 2, 9), np.float32)
    # More kernels of the first corner make it the first pattern.
    for number, (filter_, channel, corner) in enumerate(
        [(0, 0, 1), (1, 0, 0), (2, 0, 0), (2, 1, 0), (3, 1, 1), (4, 0, 0), (4, 1, 1)], 1
    ):
        weights[filter_, channel, list(CORNERS[corner])] = number
    packed = group_patterns(pack_fkw(weights, Pattern(4, 2, 1)), 3)
    assert packed.patterns.tolist() == [list(CORNERS[0]), list(CORNERS[1])]
    assert packed.starts.tolist() == [0, 4]
    assert packed.counts.tolist() == [[[2, 1], [1, 0]], [[1, 0], [0, 2]]]
    assert packed.filters.tolist() == [1, 2, 0, 2, 1, 0, 1]
    assert packed.values[:, 0].tolist() == [2, 3, 1, 4, 6, 5, 7]


def test_filters_are_counted_in_their_group() -> None:
    """Groups of a convolution are cut one by one: 3 of 3 filters make 2 and 1, then 2 and 1."""
    weights = np.ones((6, 1, 2), np.float32)
    packed = group_patterns(pack_fkw(weights, Pattern(2, 1, 1), groups=2), 2)
    assert packed.starts.tolist() == [0, 2, 3, 5]
    assert packed.filters.tolist() == [0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("height", "bits"), [(256, np.uint8), (257, np.uint16), (300, np.uint16), (1000, np.uint16)]
)
def test_filters_take_the_bits_they_need(height: int, bits: type[np.unsignedinteger]) -> None:
    values = np.random.default_rng(0).standard_normal((300, 3, 9), np.float32)
    weights = values * pattern_mask(values, CORNERS, 1.5)
    packed = group_patterns(pack_fkw(weights, Pattern(4, 4, 1)), height)
    assert packed.filters.dtype == bits
    assert packed.height == min(height, 300)
    assert packed.filters.max() == packed.height - 1
    assert np.array_equal(ungroup_patterns(packed), weights)


def test_a_kernel_that_fits_no_pattern_is_several() -> None:
    weights = np.zeros((1, 32, 9), np.float32)
    weights[0, :, list(CORNERS[0])] = 1
    weights[0, 7, 0] = 2
    packed = group_patterns(pack_fkw(weights, Pattern(4, 1, 1)), 8)
    assert packed.counts[0, 7].tolist() == [1, 1]
    assert packed.values[8].tolist() == [2, 0, 0, 0]
    assert np.array_equal(ungroup_patterns(packed), weights)


def test_nothing() -> None:
    """There is a pattern all the same: tables of counts have an entry for each channel."""
    packed = group_patterns(pack_fkw(np.zeros((6, 4, 9), np.float16), Pattern(4, 8, 1), 2), 2)
    assert packed.patterns.tolist() == [[0, 1, 2, 3]]
    assert packed.counts.shape == (4, 4, 1)
    assert packed.filters.size == packed.values.size == 0
    assert ungroup_patterns(packed).dtype == np.float16
    assert not ungroup_patterns(packed).any()

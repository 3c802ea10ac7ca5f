"""FKW and BCRC: their layout's promises, the exact way back, and their size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from unit.schemes.layers import Layer, layers_and_schemes, pattern_layers

from niwaki.schemes import (
    BlockColumnRow,
    Pattern,
    Scheme,
    SchemeError,
    Unstructured,
    block_column_row_mask,
    pack,
    pack_bcrc,
    pack_fkw,
    pattern_mask,
    unpack_bcrc,
    unpack_fkw,
)
from niwaki.schemes.base import Weights

CORNERS = [(4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4)]


def gaussian(*shape: int) -> Weights:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def csr_bytes(weights: Weights) -> int:
    return 8 * int(np.count_nonzero(weights)) + 4 * (len(weights) + 1)


@given(pattern_layers())
def test_fkw_round_trip(given: tuple[Layer, Pattern]) -> None:
    layer, scheme = given
    assert np.array_equal(unpack_fkw(pack_fkw(layer.weights, scheme, layer.groups)), layer.weights)


@given(pattern_layers())
def test_fkw_layout(given: tuple[Layer, Pattern]) -> None:
    layer, scheme = given
    filters, channels, taps = layer.weights.shape
    packed = pack_fkw(layer.weights, scheme, layer.groups)
    group_filters = filters // layer.groups

    starts = [
        g * group_filters + f
        for g in range(layer.groups)
        for f in range(0, group_filters, scheme.filters)
    ]
    assert sorted(packed.first_filter.tolist()) == starts
    assert packed.share == min(scheme.filters, group_filters)
    lengths = np.diff(packed.kernel_begin)
    assert (np.diff(lengths) <= 0).all()
    assert (packed.pattern_count.sum(axis=1) == lengths).all()
    assert packed.values.shape == (lengths.sum(), scheme.taps, packed.share)
    assert (np.diff(packed.patterns.astype(int), axis=1) > 0).all()
    assert packed.patterns.max(initial=0) < taps

    # Kernels of a block by pattern, then by channel, and each once.
    block, pattern, channel = packed.kernels()
    places = list(zip(block.tolist(), pattern.tolist(), channel.tolist(), strict=True))
    assert places == sorted(set(places))
    assert channel.size == 0 or 0 <= channel.min() <= channel.max() < channels

    # Every nonzero is where these arrays say, and nowhere else.
    kernel, tap, member = np.nonzero(packed.values)
    filter_ = packed.first_filter[block[kernel]] + member
    found = np.zeros_like(layer.weights)
    np.add.at(found, (filter_, channel[kernel], packed.patterns[pattern[kernel], tap]), 1)
    assert np.array_equal(found, layer.nonzero)


def test_filters_of_equal_length_follow_the_most_similar() -> None:
    patterns = [[1, 2, 0, 0], [1, 2, 3, 4], [0, 0, 2, 1], [1, 0, 0, 3], [1, 2, 0, 0], [0, 0, 2, 3]]
    weights = np.zeros((6, 4, 9), dtype=np.float32)
    for filter_, kernels in enumerate(patterns):
        for channel, number in enumerate(kernels):
            if number:
                weights[filter_, channel, list(CORNERS[number - 1])] = 1
    packed = pack_fkw(weights, Pattern(4, 4, 1))
    assert packed.first_filter.tolist() == [1, 0, 4, 3, 5, 2]
    assert packed.kernel_begin.tolist() == [0, 4, 6, 8, 10, 12, 14]


def test_channels_are_distances_within_a_pattern() -> None:
    weights = np.zeros((1, 600, 9), dtype=np.float32)
    for channel, pattern in ((3, 0), (5, 1), (250, 0), (400, 1), (505, 0)):
        weights[0, channel, list(CORNERS[pattern])] = 1
    packed = pack_fkw(weights, Pattern(4, 2, 1))
    assert packed.patterns.tolist() == [[4, 5, 7, 8], [3, 4, 6, 7]]
    assert packed.pattern_count.tolist() == [[3, 2]]
    assert packed.channel_delta.tolist() == [3, 247, 255, 5, 395]
    assert packed.channel_delta.dtype == np.uint16
    assert packed.kernels()[2].tolist() == [3, 250, 505, 5, 400]
    weights[0, 400] = 0
    assert pack_fkw(weights, Pattern(4, 2, 1)).channel_delta.dtype == np.uint8


def test_a_kernel_that_fits_no_pattern_is_stored_as_several() -> None:
    weights = np.zeros((1, 32, 9), dtype=np.float32)
    weights[0, :, list(CORNERS[0])] = 1
    weights[0, 7, 0] = 2
    packed = pack_fkw(weights, Pattern(4, 1, 1))
    assert packed.patterns.tolist() == [[4, 5, 7, 8], [0, 1, 2, 3]]
    assert packed.pattern_count.tolist() == [[32, 1]]
    assert packed.values[32].ravel().tolist() == [2, 0, 0, 0]


def test_fkw_of_nothing() -> None:
    packed = pack_fkw(np.zeros((6, 4, 9), dtype=np.float16), Pattern(4, 8, 4), groups=2)
    assert packed.first_filter.tolist() == [0, 3]
    assert packed.values.shape == (0, 4, 3)
    assert unpack_fkw(packed).dtype == np.float16
    assert not unpack_fkw(packed).any()


@pytest.mark.parametrize("pack_weights", [pack_fkw, pack_bcrc])
def test_storage_refuses_what_the_scheme_refuses(pack_weights: object) -> None:
    assert callable(pack_weights)
    with pytest.raises(SchemeError, match=r"^36 of 36 kept kernels fit no pattern of pattern"):
        pack_weights(np.ones((9, 4, 9)), Pattern(4, 8, 1))


@given(layers_and_schemes())
def test_bcrc_round_trip(given: tuple[Layer, Scheme]) -> None:
    layer, scheme = given
    packed = pack_bcrc(layer.weights, scheme, layer.groups)
    assert np.array_equal(unpack_bcrc(packed), layer.weights)
    assert packed.values.size == scheme.stored(layer.nonzero, layer.groups)


@given(layers_and_schemes())
def test_bcrc_layout(given: tuple[Layer, Scheme]) -> None:
    layer, scheme = given
    filters = len(layer.weights)
    packed = pack_bcrc(layer.weights, scheme, layer.groups)
    mask = scheme.mask(layer.nonzero, layer.groups).reshape(filters, -1)
    assert sorted(packed.order.tolist()) == [*range(filters)]
    lists = set()
    for run in range(len(packed.run_begin) - 1):
        members = packed.order[packed.run_begin[run] : packed.run_begin[run + 1]]
        columns = packed.columns[packed.column_begin[run] : packed.column_begin[run + 1]]
        groups = {int(member) // (filters // layer.groups) for member in members}
        assert len(groups) == 1
        lists.add((*groups, columns.tobytes()))
        for member in members:
            assert np.flatnonzero(mask[member]).tolist() == columns.tolist()
    # Each list of a group is stored once.
    assert len(lists) == len(packed.run_begin) - 1


def test_bytes_of_patterns() -> None:
    weights = gaussian(64, 64, 9)
    weights *= pattern_mask(weights, CORNERS, 3.6)
    kernels = 64 * round(64 / 3.6)
    packed = pack_fkw(weights, Pattern(4, 4, 1))
    # Patterns, filters, kernels of each, of each pattern; then a byte and four weights a kernel.
    assert packed.nbytes == 4 * 4 + 4 * 64 + 4 * 65 + 2 * 64 * 4 + kernels * (1 + 16)
    indices = packed.nbytes - packed.values.nbytes
    assert indices < 0.15 * (csr_bytes(weights) - packed.values.nbytes)
    assert packed.nbytes < 0.6 * csr_bytes(weights)
    assert packed.nbytes < weights.nbytes / 7
    assert packed.nbytes < pack(weights, Pattern(4, 4, 1), 8).nbytes


def test_bytes_of_shared_patterns() -> None:
    weights = gaussian(64, 64, 9)
    weights *= pattern_mask(weights, CORNERS, 3.6, filters=4)
    shared, alone = (pack_fkw(weights, Pattern(4, 4, filters)) for filters in (4, 1))
    assert shared.values.size == alone.values.size
    assert shared.nbytes < alone.nbytes


def test_bytes_of_columns_and_rows() -> None:
    weights = gaussian(64, 64, 9)
    weights *= block_column_row_mask(weights, 4, 2, 16, 64 * 9)
    packed = pack_bcrc(weights, BlockColumnRow(16, 64 * 9))
    # A run for each block, and one of all rows that were removed.
    assert len(packed.run_begin) - 1 == 4 + 1
    assert packed.nbytes == 4 * 64 + 3 * 4 * 6 + 2 * 4 * 144 + 4 * 32 * 144
    assert packed.nbytes < 0.6 * csr_bytes(weights)
    assert packed.nbytes < pack(weights, BlockColumnRow(16, 64 * 9), 8).nbytes
    scattered = pack_bcrc(weights, Unstructured())
    assert scattered.nbytes == packed.nbytes


@pytest.mark.parametrize(("columns", "dtype"), [(2**16, np.uint16), (2**16 + 1, np.uint32)])
def test_columns_take_the_bits_they_need(columns: int, dtype: type[np.integer]) -> None:
    weights = np.zeros((2, columns, 1), dtype=np.float32)
    weights[0, -1] = 1
    packed = pack_bcrc(weights, Unstructured())
    assert packed.columns.dtype == dtype
    assert np.array_equal(unpack_bcrc(packed), weights)

"""Packed weights: the layout's promises, and the exact way back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers_and_schemes, pattern_layers

from niwaki.schemes import (
    BlockPunched,
    Channel,
    Dense,
    PackedBlocks,
    Scheme,
    SchemeError,
    Unstructured,
    block_punched_mask,
    pack,
    unpack,
)

FITTING = st.one_of(layers_and_schemes(), pattern_layers())
BITS = {np.float16: np.uint16, np.float32: np.uint32, np.float64: np.uint64}


@given(FITTING, st.integers(1, 9), st.integers(1, 4))
def test_round_trip(given: tuple[Layer, Scheme], block: int, parts: int) -> None:
    layer, scheme = given
    packed = pack(layer.weights, scheme, block, layer.groups, parts)
    assert np.array_equal(unpack(packed), layer.weights)


@given(FITTING, st.integers(1, 9), st.integers(1, 4))
def test_parts_are_ranges_of_channels(given: tuple[Layer, Scheme], block: int, parts: int) -> None:
    """In each part there are all blocks, in the same order, with the part's share of columns."""
    layer, scheme = given
    _, channels, taps = layer.weights.shape
    whole = pack(layer.weights, scheme, block, layer.groups)
    packed = pack(layer.weights, scheme, block, layer.groups, parts)
    assert packed.first_filter.tolist() == whole.first_filter.tolist() * parts
    assert packed.filters.tolist() == whole.filters.tolist() * parts

    def columns(of: PackedBlocks, number: int) -> list[int]:
        return of.columns[of.column_begin[number] : of.column_end[number]].tolist()

    blocks, limits = len(whole.filters), [channels * i // parts for i in range(parts + 1)]
    for number in range(blocks):
        shares = [columns(packed, part * blocks + number) for part in range(parts)]
        assert list(itertools.chain(*shares)) == columns(whole, number)
        for part, share in enumerate(shares):
            places = {column // taps % channels for column in share}
            assert places <= set(range(limits[part], limits[part + 1]))


@given(FITTING, st.integers(1, 9))
def test_layout(given: tuple[Layer, Scheme], block: int) -> None:
    layer, scheme = given
    filters, channels, taps = shape = layer.weights.shape
    packed = pack(layer.weights, scheme, block, layer.groups)
    assert (packed.shape, packed.groups) == (shape, layer.groups)
    assert packed.block == min(
        block, scheme.filters_per_block((filters, channels, taps), layer.groups)
    )

    # Every filter once, full blocks first, then in order.
    spans = list(zip(packed.first_filter.tolist(), packed.filters.tolist(), strict=True))
    assert sorted(first + i for first, size in spans for i in range(size)) == [*range(filters)]
    assert spans == sorted(spans, key=lambda span: (-span[1], span[0]))
    assert packed.filters.max() == packed.block

    mask = scheme.mask(layer.nonzero, layer.groups)
    values_before = 0
    for index, (first, size) in enumerate(spans):
        group = first // (filters // layer.groups)
        assert group == (first + size - 1) // (filters // layer.groups)
        kept = mask[first : first + size].any(axis=0)
        expected = [
            (group * channels + int(channel)) * taps + int(tap)
            for channel, tap in np.argwhere(kept)
        ]
        begin, end = packed.column_begin[index], packed.column_end[index]
        assert packed.columns[begin:end].tolist() == expected
        assert packed.value_begin[index] == values_before
        matrix = packed.values[values_before : values_before + len(expected) * size]
        assert np.array_equal(
            matrix.reshape(len(expected), size).T, layer.weights[first : first + size, kept]
        )
        values_before += len(expected) * size
    assert values_before == packed.values.size


@given(FITTING, st.integers(1, 9))
def test_equal_lists_of_a_group_are_stored_once(given: tuple[Layer, Scheme], block: int) -> None:
    layer, scheme = given
    packed = pack(layer.weights, scheme, block, layer.groups)
    ranges = set(zip(packed.column_begin.tolist(), packed.column_end.tolist(), strict=True))
    lists = {tuple(packed.columns[begin:end].tolist()) for begin, end in ranges}
    assert len(packed.columns) == sum(map(len, lists))


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("scheme", [Dense(), Unstructured(), BlockPunched(2, 1)], ids=str)
def test_bits_survive(dtype: type[np.floating], scheme: Scheme) -> None:
    weights = np.random.default_rng(0).standard_normal((7, 3, 9)).astype(dtype)
    weights[0, 0, :4] = np.nan, np.inf, -np.inf, np.finfo(dtype).smallest_subnormal
    bits = weights.view(BITS[dtype])
    bits[1, 0, :2] = np.array([np.inf, np.nan], dtype).view(BITS[dtype]) + 5  # NaN with a payload
    packed = pack(weights, scheme, 4)
    assert packed.values.dtype == dtype
    assert np.array_equal(unpack(packed).view(BITS[dtype]), bits)


def test_negative_zero_survives_where_it_is_stored() -> None:
    weights = np.full((2, 1, 1), -0.0, dtype=np.float32)
    assert np.signbit(unpack(pack(weights, Dense(), 2))).all()
    assert not np.signbit(unpack(pack(weights, Unstructured(), 2))).any()


def test_dense_stores_one_list_per_group() -> None:
    packed = pack(np.ones((20, 3, 9), dtype=np.float32), Dense(), 8, groups=2)
    assert packed.first_filter.tolist() == [0, 10, 8, 18]
    assert packed.filters.tolist() == [8, 8, 2, 2]
    assert packed.columns.tolist() == [*range(54)]
    assert packed.column_begin.tolist() == [0, 27, 0, 27]
    assert packed.column_end.tolist() == [27, 54, 27, 54]


def test_one_scheme_block_in_two_register_blocks() -> None:
    weights = np.zeros((8, 2, 9), dtype=np.float32)
    weights[:, 1, 4] = np.arange(1, 9)
    packed = pack(weights, BlockPunched(8, 1), 4)
    assert packed.columns.tolist() == [13]
    assert packed.column_begin.tolist() == [0, 0]
    assert packed.column_end.tolist() == [1, 1]
    assert packed.value_begin.tolist() == [0, 4]
    assert packed.values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_register_blocks_do_not_outgrow_those_of_the_scheme() -> None:
    weights = np.ones((6, 2, 9), dtype=np.float32)
    assert pack(weights, BlockPunched(4, 1), 8).filters.tolist() == [4, 2]
    assert pack(weights, Unstructured(), 8).block == 1


def test_zero_filters_have_a_block_without_columns() -> None:
    weights = np.zeros((16, 4, 9), dtype=np.float32)
    weights[8:, 2, 3] = 1
    for scheme in (BlockPunched(8, 1), Channel(), Unstructured()):
        packed = pack(weights, scheme, 8)
        empty = packed.column_begin == packed.column_end
        assert packed.first_filter[empty].tolist() == [*range(0, 8, packed.block)]


def test_all_zero_layer() -> None:
    packed = pack(np.zeros((12, 4, 9), dtype=np.float16), Channel(), 8)
    assert packed.filters.tolist() == [8, 4]
    assert packed.columns.shape == packed.values.shape == (0,)
    assert unpack(packed).dtype == np.float16
    assert not unpack(packed).any()


def test_depthwise() -> None:
    weights = np.arange(1, 28, dtype=np.float32).reshape(3, 1, 9)
    packed = pack(weights, Dense(), 8, groups=3)
    assert packed.filters.tolist() == [1, 1, 1]
    assert packed.columns.tolist() == [*range(27)]
    assert packed.values.tolist() == [*range(1, 28)]


def test_weights_that_are_not_contiguous() -> None:
    weights = np.asfortranarray(np.random.default_rng(0).standard_normal((9, 5, 3)))
    assert np.array_equal(unpack(pack(weights, Dense(), 4)), weights)


def test_arrays_and_bytes() -> None:
    weights = np.random.default_rng(0).standard_normal((64, 64, 9), dtype=np.float32)
    weights *= block_punched_mask(weights, 8, 8)
    packed = pack(weights, BlockPunched(8, 1), 8)
    assert {name: str(array.dtype) for name, array in packed.arrays().items()} == {
        "first_filter": "int32",
        "filters": "int32",
        "column_begin": "int32",
        "column_end": "int32",
        "columns": "int32",
        "value_begin": "int32",
        "values": "float32",
    }
    blocks, columns = 64 // 8, 64 * 9 // 8
    assert packed.nbytes == 4 * (5 * blocks + blocks * columns + blocks * columns * 8)
    assert all(array.flags.c_contiguous for array in packed.arrays().values())


def test_arrays_make_the_packed_weights_again() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 4, 9), dtype=np.float32)
    packed = pack(weights, Dense(), 4)
    again = PackedBlocks(shape=packed.shape, groups=1, block=packed.block, **packed.arrays())
    assert np.array_equal(unpack(again), weights)


@pytest.mark.parametrize("block", [0, -4])
def test_register_blocks_hold_a_filter(block: int) -> None:
    message = f"^a register block holds at least 1 filter, not {block}$"
    with pytest.raises(SchemeError, match=message):
        pack(np.ones((8, 4, 9)), Dense(), block)


def test_channels_are_in_a_part() -> None:
    with pytest.raises(SchemeError, match="at least 1 part, not in 0"):
        pack(np.ones((2, 2, 1), np.float32), Dense(), 1, parts=0)


def test_pack_refuses_what_the_scheme_refuses() -> None:
    with pytest.raises(SchemeError, match=r"^block_punched\(0x1\) needs blocks of at least"):
        pack(np.ones((8, 4, 9)), BlockPunched(0, 1), 8)

"""The one array of a convolution on a GPU holds what was packed, whatever the blocks are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from niwaki import schemes
from niwaki.dialects import GROUP_COLUMNS, LINE_WORDS, group_lines, head_lines
from niwaki.passes.families.streams import stream_words
from niwaki.passes.families.thread_depthwise import channel_words
from niwaki.schemes import BlockPunched, Dense, Scheme, Unstructured

SCHEMES: list[tuple[Scheme, int, int]] = [
    (Dense(), 8, 1),
    (Dense(), 4, 2),
    (BlockPunched(4, 2), 4, 1),
    (BlockPunched(3, 64), 2, 1),
    (Unstructured(), 1, 1),
]


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize(("scheme", "height", "groups"), SCHEMES, ids=str)
def test_streams_hold_all_weights(
    kind: type[np.floating], scheme: Scheme, height: int, groups: int
) -> None:
    rng = np.random.default_rng(0)
    shape = (14, 6 // groups, 9)
    kept = scheme.mask(rng.random(shape) < 0.3, groups)
    weights = (rng.standard_normal(shape) * kept).astype(kind)
    biases = [rng.standard_normal(14).astype(kind), rng.standard_normal(14).astype(np.float32)]
    packed = schemes.pack(weights, scheme, height, groups)
    kinds = [bias.dtype for bias in biases]
    offsets = 100 + 7 * packed.columns.astype(np.int32)
    words = stream_words(packed, offsets, biases)
    dense, read = np.zeros((14, 6 * 9), kind), [np.zeros(14), np.zeros(14)]
    for number in range(len(packed.filters)):
        filters, columns, values, operands = block(words, packed, number, kind, kinds)
        assert all((offset - 100) % 7 == 0 for offset in columns)
        for filter_, row in zip(filters, values.T, strict=True):
            for offset, value in zip(columns, row, strict=True):
                dense[filter_, (offset - 100) // 7] += value
        for operand, found in zip(operands, read, strict=True):
            found[filters] = operand
    assert (dense.reshape(14, 6, 9) == wide(weights, groups)).all()
    for bias, found in zip(biases, read, strict=True):
        assert (found == bias.astype(np.float32)).all()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("taps", [1, 4, 9, 25])
def test_depthwise_streams_are_whole_lines(kind: type[np.floating], taps: int) -> None:
    rng = np.random.default_rng(1)
    weights = rng.standard_normal((5, taps)).astype(kind)
    biases = [rng.standard_normal(5).astype(kind), rng.standard_normal(5).astype(np.float32)]
    lines = channel_words(weights, biases).reshape(5, -1, LINE_WORDS)
    for number, bias in enumerate(biases):
        assert (lines[:, number].copy().view(bias.dtype)[:, 0] == bias).all()
    found = lines[:, 2:].reshape(5, -1).view(kind)
    assert (found[:, :taps] == weights).all()
    assert found.shape[1] - taps < LINE_WORDS * 4 // weights.itemsize


def test_parts_stay_together() -> None:
    """Blocks of the first part come before all others; of each part full ones, then long ones."""
    kept = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 1]], np.float32)
    packed = schemes.pack(kept[:, :, None], Unstructured(), 1)
    parts = np.array([0, 0, 1, 1, 1])[packed.first_filter]
    words = stream_words(packed, packed.columns, [], parts, begin=7)
    heads = words.reshape(-1, LINE_WORDS)[:5]
    assert heads[:, 0].tolist() == [1, 0, 2, 4, 3]
    assert heads[0, 1] == 7 + len(heads)
    assert heads[:, 3].tolist() == [2, 1, 3, 3, 1]


def wide(weights: np.ndarray, groups: int) -> np.ndarray:
    """Weights of all channels, zero for those of other groups."""
    filters, channels, taps = weights.shape
    found = np.zeros((filters, channels * groups, taps), weights.dtype)
    for filter_, own in enumerate(weights):
        first = filter_ // (filters // groups) * channels
        found[filter_, first : first + channels] = own
    return found


def block(
    words: np.ndarray, packed: schemes.PackedBlocks, number: int, kind: type, kinds: list[Any]
) -> tuple[list[int], np.ndarray, np.ndarray, list[np.ndarray]]:
    """Filters, offsets, weights and operands per filter of a block, as a kernel reads them."""
    lines = words.reshape(-1, LINE_WORDS)
    head = lines[number * head_lines(packed.block, len(kinds)) :]
    first, at, groups, left = head[0]
    (height,) = packed.filters[packed.first_filter == first]
    filters = [*range(first, first + height)]
    each = -(-packed.block // LINE_WORDS)
    rows = [head[1 + i * each : 1 + (i + 1) * each].ravel() for i in range(len(kinds))]
    read = [row.view(dtype)[:height] for row, dtype in zip(rows, kinds, strict=True)]
    count, size = GROUP_COLUMNS * groups + left, group_lines(int(height), kind().itemsize)
    stream = lines[at : at + -(-count // GROUP_COLUMNS) * size].reshape(-1, size, LINE_WORDS)
    weights: np.ndarray = stream[:, 1:].reshape(len(stream), -1).view(kind)
    weights = weights[:, : GROUP_COLUMNS * height]
    return filters, stream[:, 0].ravel()[:count], weights.reshape(-1, height)[:count], read

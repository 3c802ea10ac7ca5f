"""Detection of patterns, blocks of columns and rows, n:m and kernel groups, exact and disturbed."""

from __future__ import annotations

import numpy as np
import pytest
from unit.schemes.layers import spread

from niwaki.schemes import (
    NM,
    BlockColumnRow,
    BlockPunched,
    Channel,
    Dense,
    Pattern,
    Unstructured,
    block_column_row_mask,
    block_punched_mask,
    detect,
    kernel_group_mask,
    n_m_mask,
    natural_library,
    pattern_mask,
)
from niwaki.schemes.base import Shape, Weights

SHAPE = (64, 48, 9)
CORNERS = [(4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4)]


def gaussian(shape: Shape = SHAPE) -> Weights:
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def patterned(
    rate: float = 3.6, filters: int = 1, shape: Shape = SHAPE, groups: int = 1
) -> Weights:
    weights = gaussian(shape)
    return weights * pattern_mask(weights, CORNERS, rate, filters, groups)


def with_stray(weights: Weights) -> Weights:
    """One more nonzero, in a kernel that keeps something."""
    filter_, channel, tap = np.argwhere((weights == 0) & weights.any(axis=2, keepdims=True))[100]
    weights[filter_, channel, tap] = 1
    return weights


# Patterns


@pytest.mark.parametrize("filters", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize(("taps", "patterns"), [(4, 4), (4, 8), (4, 12), (5, 13), (2, 3), (8, 9)])
def test_pattern(filters: int, taps: int, patterns: int) -> None:
    weights = gaussian()
    mask = pattern_mask(weights, natural_library(weights, taps, patterns), 8, filters)
    # Few filters need no more than some of the library.
    patterns = len(np.unique(mask[mask.any(axis=2)], axis=0))
    found = detect(weights * mask)
    assert found.scheme == Pattern(taps, patterns, filters)
    assert found.stored == found.nonzero == 64 * 6 * taps
    shared = f" shared by {filters} filters" if filters > 1 else ""
    kept = f"{100 * taps / 72:.3g} %"
    assert found.reason == f"{kept} kept in {patterns} patterns of {taps} taps{shared}"


@pytest.mark.parametrize(
    ("shape", "taps"), [((32, 20, 27), 9), ((32, 20, 3), 2), ((32, 20, 49), 9)]
)
def test_pattern_of_other_kernels(shape: Shape, taps: int) -> None:
    rng = np.random.default_rng(0)
    library = [rng.permutation(shape[2])[:taps].tolist() for _ in range(2)]
    weights = gaussian(shape)
    found = detect(weights * pattern_mask(weights, library, 4))
    assert found.scheme == Pattern(taps, 2, 1)
    assert found.stored == found.nonzero


def test_pattern_in_groups_with_remainders() -> None:
    found = detect(patterned(filters=8, shape=(3 * 20, 16, 9), groups=3), groups=3)
    assert found.scheme == Pattern(4, 4, 8)
    assert found.stored == found.nonzero


def test_removed_kernels_alone() -> None:
    kernels = np.random.default_rng(0).random((64, 48, 1)) < 0.2
    found = detect(gaussian() * kernels)
    assert found.scheme == Pattern(9, 1, 1)
    assert found.stored == found.nonzero
    assert found.reason.endswith(" % kept in 1 pattern of 9 taps")


def test_pattern_with_a_stray_weight() -> None:
    found = detect(with_stray(patterned()))
    assert found.scheme == Pattern(4, 4, 1)
    assert found.stored == found.nonzero


def test_shared_pattern_with_a_stray_weight() -> None:
    found = detect(with_stray(patterned(filters=4)))
    assert found.scheme == Pattern(4, 4, 4)
    assert found.stored == found.nonzero + 3


def test_pattern_with_a_stray_weight_in_a_removed_kernel() -> None:
    weights = patterned()
    filter_, channel = np.argwhere(~weights.any(axis=2))[7]
    weights[filter_, channel, 4] = 1
    found = detect(weights)
    assert found.scheme == Pattern(4, 4, 1)
    assert found.stored == found.nonzero + 3


def test_pattern_with_stray_zeros() -> None:
    weights = patterned(filters=2)
    weights[np.random.default_rng(0).random(SHAPE) < 0.05] = 0
    found = detect(weights)
    assert found.scheme == Pattern(4, 4, 2)
    assert found.stored == np.count_nonzero(patterned(filters=2))


def test_a_kernel_with_a_stray_weight_and_a_stray_zero_makes_no_pattern() -> None:
    weights = patterned(shape=(128, 128, 9))
    channel = np.flatnonzero(weights[9].any(axis=1))[3]
    weights[9, channel] = [1, 0, 1, 0, 0, 0, 1, 0, 1]
    found = detect(weights)
    assert found.scheme == Pattern(4, 4, 1)
    assert found.stored == found.nonzero


def test_pattern_with_filters_of_zeros() -> None:
    weights = patterned()
    weights[np.random.default_rng(0).random(64) < 0.3] = 0
    found = detect(weights)
    assert found.scheme == Pattern(4, 4, 1)
    assert found.stored == found.nonzero


def test_pattern_with_too_much_left_stays_dense() -> None:
    weights = gaussian()
    found = detect(weights * pattern_mask(weights, natural_library(weights, 5, 126), 1))
    assert found.scheme == Dense()
    assert found.reason == (
        "stays dense: 55.6 % of the weights are kept, which as pattern(5x126x1) would take 111 % "
        "of the dense time"
    )


def test_one_pattern_for_all_is_block_punched() -> None:
    weights = gaussian()
    assert detect(weights * pattern_mask(weights, CORNERS[:1], 1)).scheme == BlockPunched(32, 48)


def test_pattern_hint_on_scattered_weights() -> None:
    weights = gaussian() * (np.random.default_rng(0).random(SHAPE) < 0.1)
    found = detect(weights, hint=Pattern(2, 8, 1))
    assert found.scheme == Unstructured()
    assert "; hint pattern(2x8x1) refused: " in found.reason
    assert found.reason.endswith(" kept kernels fit no pattern of pattern(2x8x1)")


def test_many_different_kernels_are_no_patterns() -> None:
    weights = gaussian((128, 64, 27))
    kernels = np.argsort(gaussian((128, 64, 27)), axis=2) < 4
    assert detect(weights * kernels).scheme == Unstructured()


# Columns and rows of blocks


@pytest.mark.parametrize("filters", [8, 16, 32])
@pytest.mark.parametrize("columns", [36, 72, 64, 128, 432])
def test_block_column_row(filters: int, columns: int) -> None:
    mask = block_column_row_mask(gaussian(), 8, 8 / 7, filters, columns)
    found = detect(gaussian() * mask)
    if columns == 432:
        # Rows that a block loses are filters then.
        assert found.scheme == BlockPunched(filters, 1)
    else:
        assert found.scheme == BlockColumnRow(filters, columns)
        assert found.stored == found.nonzero
        of = f"blocks of {filters} filters x {columns} columns"
        assert found.reason.endswith(f" % kept as rows and columns of {of}")


def test_block_column_row_of_a_linear_layer_with_remainders() -> None:
    weights = gaussian((100, 200, 1))
    found = detect(weights * block_column_row_mask(weights, 4, 8 / 7, 8, 32))
    assert found.scheme == BlockColumnRow(8, 32)
    assert found.stored == found.nonzero


def test_columns_of_blocks_alone_are_block_punched() -> None:
    weights = gaussian()
    found = detect(weights * block_column_row_mask(weights, 4, 1, 16, 72))
    assert found.scheme == BlockPunched(16, 1)


# n:m


@pytest.mark.parametrize(("n", "m"), [(1, 8), (1, 16), (2, 16), (3, 32), (2, 32)])
@pytest.mark.parametrize("shape", [SHAPE, (64, 96, 1), (30, 70, 9)])
def test_n_m(n: int, m: int, shape: Shape) -> None:
    weights = gaussian(shape)
    found = detect(weights * n_m_mask(weights, n, m))
    assert found.scheme == NM(n, m)
    assert found.stored == found.nonzero
    assert found.reason.endswith(f" % kept as {n} of every {m} input channels")


def test_two_of_four_stay_dense() -> None:
    found = detect(gaussian() * n_m_mask(gaussian(), 2, 4))
    assert found.reason == (
        "stays dense: 50 % of the weights are kept, which as n_m(2:4) would take 100 % "
        "of the dense time"
    )


def test_n_m_with_filters_of_zeros() -> None:
    weights = gaussian() * n_m_mask(gaussian(), 1, 4)
    weights[::5] = 0
    assert detect(weights).scheme == NM(1, 4)


def test_n_m_with_a_stray_weight_is_unstructured() -> None:
    weights = with_stray(gaussian() * n_m_mask(gaussian(), 1, 8))
    found = detect(weights)
    assert found.scheme == Unstructured()
    refused = detect(weights, hint=NM(1, 8)).reason
    assert refused.endswith("; hint n_m(1:8) refused: 2 of 8 consecutive channels are kept, more"
                            " than n_m(1:8)")  # fmt: skip


# Kernel groups


@pytest.mark.parametrize("vanilla", [False, True])
@pytest.mark.parametrize("filters", [4, 8, 16])
def test_kernel_groups_in_3d(vanilla: bool, filters: int) -> None:
    weights = gaussian((64, 32, 27))
    found = detect(weights * kernel_group_mask(weights, 3, filters, 4, vanilla=vanilla))
    assert found.scheme == BlockPunched(filters, 4)
    assert found.stored == found.nonzero


# Mixtures


def test_half_patterns_half_blocks() -> None:
    weights = gaussian()
    mask = pattern_mask(weights, CORNERS, 4, 8)
    mask[32:] = block_punched_mask(weights, 9, 8)[32:]
    found = detect(weights * mask)
    assert found.scheme == BlockPunched(8, 1)
    assert found.stored == found.nonzero


def test_half_blocks_half_channels() -> None:
    mask = block_punched_mask(gaussian(), 8, 8)
    mask[:32] = np.random.default_rng(0).random((1, 48, 1)) < 0.3
    found = detect(gaussian() * mask)
    assert found.scheme == BlockPunched(8, 1)
    assert found.stored == found.nonzero


def test_patterns_of_some_channels_only() -> None:
    weights = patterned()
    weights[:, 10:30] = 0
    found = detect(weights)
    assert found.scheme == Pattern(4, 4, 1)
    assert found.stored == found.nonzero


def test_patterns_that_all_channels_keep_are_block_punched() -> None:
    taps = np.zeros((8, 1, 9), dtype=np.bool_)
    for block in range(8):
        taps[block, 0, list(CORNERS[block % 4])] = True
    found = detect(gaussian() * spread(taps, 8, 48, SHAPE))
    assert found.scheme == BlockPunched(8, 48)


def test_whole_channels_are_no_pattern() -> None:
    channels = np.random.default_rng(0).random((1, 48, 1)) < 0.3
    assert detect(gaussian() * channels).scheme == Channel()


def test_blocks_are_no_pattern() -> None:
    blocks = np.random.default_rng(0).random((64, 12, 9)) < 0.1
    assert detect(gaussian() * spread(blocks, 1, 4, SHAPE)).scheme == Unstructured()

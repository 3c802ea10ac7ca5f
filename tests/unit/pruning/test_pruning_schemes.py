"""Projections against brute force: of all sets of weights that a scheme allows, the strongest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.schemes.layers import Layer, layers

from niwaki.errors import NiwakiError
from niwaki.pruning import PRUNING_SCHEMES, Pattern, parse_scheme
from niwaki.schemes import SchemeError, detect, similar_order
from niwaki.schemes.base import Weights

# A small layer for each scheme, in which all allowed masks can be listed.
Shape = tuple[int, int, int]


def choices(count: int, kept: int) -> Iterator[np.ndarray]:
    for chosen in itertools.combinations(range(count), kept):
        yield np.isin(np.arange(count), chosen)


def best(energy: np.ndarray, kept: int) -> float:
    """The most that `kept` of the numbers can add up to, by trying all."""
    return max(float(energy[chosen].sum()) for chosen in choices(energy.size, kept))


def blocks(w: np.ndarray, f: int, c: int, t: int) -> np.ndarray:
    """Energy of each block of f x c x t weights, one by one."""
    sizes = (f, c, t)
    starts = [range(0, n, size) for n, size in zip(w.shape, sizes, strict=True)]
    return np.array(
        [[[np.square(w[i : i + f, j : j + c, k : k + t]).sum() for k in starts[2]]
          for j in starts[1]] for i in starts[0]]
    )  # fmt: skip


def pattern_best(w: np.ndarray, kernels: int, filters: int, library: list[list[int]]) -> float:
    energy = np.array(
        [[max(np.square(w[i : i + filters, c][:, p]).sum() for p in library)
          for c in range(w.shape[1])] for i in range(0, len(w), filters)]
    )  # fmt: skip
    return sum(best(row, kernels) for row in energy)


# Text, rate, shape, energy of the best mask.
CASES: list[tuple[str, float, Shape, Callable[[np.ndarray], float]]] = [
    ("unstructured", 2, (2, 2, 3), lambda w: best(np.square(w).ravel(), 6)),
    ("filter", 3, (6, 2, 3), lambda w: best(blocks(w, 1, 2, 3).ravel(), 2)),
    ("channel", 2, (3, 6, 2), lambda w: best(blocks(w, 3, 1, 2).ravel(), 3)),
    ("column", 4, (3, 4, 3), lambda w: best(blocks(w, 3, 1, 1).ravel(), 3)),
    ("block_punched(filters=2)", 4, (5, 4, 3),
     lambda w: sum(best(row.ravel(), 3) for row in blocks(w, 2, 1, 1))),
    ("block_punched(filters=2, channels=2)", 3, (5, 5, 2),
     lambda w: sum(best(row.ravel(), 2) for row in blocks(w, 2, 2, 1))),
    ("kernel_group(filters=2, channels=2)", 4, (4, 4, 3),
     lambda w: best(blocks(w, 2, 2, 1).ravel(), 3)),
    ("kernel_group(filters=2, channels=2, vanilla=true)", 3, (4, 6, 3),
     lambda w: best(blocks(w, 2, 2, 3).ravel(), 2)),
    ("block_column_row(filters=2, columns=6, row_share=0)", 3, (5, 4, 3),
     lambda w: sum(best(b, 2) for row in blocks(w.reshape(5, 12, 1), 2, 1, 1)
                   for b in row.reshape(2, 6))),
    ("block_column_row(filters=4, columns=3, row_share=1)", 2, (8, 2, 3),
     lambda w: sum(best(blocks(w[i : i + 4].reshape(4, 6, 1), 1, 3, 1)[:, j, 0], 2)
                   for i in (0, 4) for j in (0, 1))),
    ("block_column_row(filters=2, columns=4, row_share=1, whole_rows=true)", 3, (6, 2, 3),
     lambda w: best(blocks(w, 1, 2, 3).ravel(), 2)),
    ("block_column_row(filters=2, columns=3, row_share=0, whole_rows=true)", 3, (5, 2, 3),
     lambda w: sum(best(b, 1) for row in blocks(w.reshape(5, 6, 1), 2, 1, 1)
                   for b in row.reshape(2, 3))),
    ("crossbar(filters=2, columns=3)", 3, (5, 3, 3),
     lambda w: sum(best(row.ravel(), 3) for row in blocks(w, 2, 1, 1))),
    ("n_m(m=4)", 2, (2, 6, 2),
     lambda w: sum(best(np.square(w[f, c : c + 4, t]), 2)
                   for f in range(2) for t in range(2) for c in (0, 4))),
    ("pattern(taps=2, filters=2, library=0-1/1-2)", 3, (3, 4, 3),
     lambda w: pattern_best(w, 2, 2, [[0, 1], [1, 2]])),
    ("pattern(library=published)", 4.5, (2, 4, 9),
     lambda w: pattern_best(w, 2, 1, [[4, 5, 7, 8], [3, 4, 6, 7], [1, 2, 4, 5], [0, 1, 3, 4],
                                      [1, 3, 4, 5], [3, 4, 5, 7], [1, 4, 5, 7], [1, 3, 4, 7]])),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rate", "shape", "energy"), CASES, ids=[c[0] for c in CASES])
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_projection_is_exact(
    text: str, rate: float, shape: Shape, energy: Callable[[np.ndarray], float], seed: int
) -> None:
    scheme = parse_scheme(text)
    weights = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    scheme.check(shape, 1, rate)
    mask = scheme.mask(weights, rate)
    wide = weights.astype(np.float64)
    assert np.square(wide[mask]).sum() == pytest.approx(energy(wide))


@settings(max_examples=50)
@given(layers(), st.sampled_from(sorted(PRUNING_SCHEMES)), st.sampled_from([1, 1.3, 2.25, 4, 8]))
def test_masks_fit_any_shape_and_come_near_the_rate(layer: Layer, name: str, rate: float) -> None:
    scheme = parse_scheme(name)
    try:
        scheme.check(layer.weights.shape, layer.groups, rate)
    except SchemeError:
        return
    weights = layer.weights + np.float32(1e-3)
    mask = scheme.mask(weights, rate, layer.groups)
    assert mask.shape == weights.shape
    assert mask.any()
    if rate == 1:
        assert mask.all()
    again = scheme.mask(weights * mask, rate, layer.groups)
    assert np.array_equal(weights * mask * again, weights * mask), "a projection is idempotent"


def weights_of(shape: Shape, seed: int = 0) -> Weights:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


DETECTED = {
    "unstructured": "unstructured",
    "filter": "channel",
    "channel": "channel",
    "column": "block_punched",
    "pattern": "pattern(4x8x1)",
    "pattern(filters=4)": "pattern(4x8x4)",
    "pattern(library=published)": "pattern(4x8x1)",
    "block_punched": "block_punched(8x1)",
    "block_punched(channels=4)": "block_punched(8x4)",
    "kernel_group": "block_punched(8x4)",
    "kernel_group(vanilla=true)": "block_punched(8x4)",
    "block_column_row": "block_column_row(",
    "pattern(library=central)": "pattern(4x8x1)",
    "pattern(patterns=4)": "pattern(4x4x1)",
    "pattern(patterns=6)": "pattern(4x6x1)",
    "pattern(patterns=12)": "pattern(4x12x1)",
    "pattern(taps=5)": "pattern(5x8x1)",
    "pattern(taps=5, patterns=12, filters=8)": "pattern(5x12x8)",
    "pattern(filters=8)": "pattern(4x8x8)",
    "block_column_row(row_share=0)": "block_punched(8x1)",
    "block_column_row(columns=72, row_share=1)": "pattern(9x1x1)",  # 8 whole kernels a row
    "crossbar(columns=72)": "block_punched(32x1)",
}


@pytest.mark.parametrize("text", DETECTED)
def test_the_compiler_detects_the_scheme(text: str) -> None:
    weights = weights_of((64, 64, 9))
    scheme = parse_scheme(text).fit(weights)
    found = detect(weights * scheme.mask(weights, 8))
    assert str(found.scheme).startswith(DETECTED[text])
    assert found.stored == found.nonzero == pytest.approx(weights.size / 8, rel=0.04)


@pytest.mark.parametrize("text", ["kernel_group", "kernel_group(vanilla=true)"])
def test_the_compiler_detects_kernel_groups_in_3d(text: str) -> None:
    weights = weights_of((32, 32, 27))
    found = detect(weights * parse_scheme(text).mask(weights, 4))
    assert str(found.scheme) == "block_punched(8x4)"
    assert found.stored == found.nonzero == weights.size // 4


def test_rows_of_the_whole_matrix_go() -> None:
    """The compiler drops filters that keep nothing, and finds the blocks in similar ones."""
    weights = weights_of((64, 64, 9))
    scheme = parse_scheme("block_column_row(row_share=0.333333, whole_rows=true)")
    mask = scheme.mask(weights, 8)
    live = mask.any(axis=(1, 2))
    assert live.sum() == 32
    assert np.count_nonzero(mask) == weights.size / 8
    # Each row that stays keeps a quarter of the columns of each block of 64.
    assert (mask[live].reshape(32, 9, 64).sum(axis=2) == 16).all()
    shrunk = (weights * mask)[live]
    found = detect(shrunk[similar_order(shrunk != 0, 8)])
    assert found.cost < 0.5


def test_central_library_has_the_centre_in_each_pattern() -> None:
    scheme = parse_scheme("pattern(library=central)").fit(weights_of((16, 16, 9)))
    assert isinstance(scheme, Pattern)
    patterns = scheme.library.split("/")
    assert len(patterns) == 8
    assert all("4" in pattern.split("-") for pattern in patterns)


def test_the_compiler_detects_n_of_m() -> None:
    weights = weights_of((64, 64, 1))
    assert str(detect(weights * parse_scheme("n_m").mask(weights, 4)).scheme) == "n_m(1:4)"


def test_natural_library_stays_once_fitted() -> None:
    weights = np.zeros((4, 4, 9), np.float32)
    weights[:, :, [0, 1, 3, 4]] = 1
    scheme = parse_scheme("pattern(patterns=1)").fit(weights)
    assert str(scheme) == "pattern(taps=4, patterns=1, filters=1, library=0-1-3-4)"
    assert parse_scheme(str(scheme)) == scheme
    assert scheme.mask(weights_of((4, 4, 9)), 2.25)[:, :, [0, 1, 3, 4]].all()


@pytest.mark.parametrize("name", PRUNING_SCHEMES)
def test_text_names_schemes(name: str) -> None:
    scheme = PRUNING_SCHEMES[name]()
    assert parse_scheme(name) == parse_scheme(str(scheme)) == parse_scheme(scheme) == scheme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bonsai", "unknown pruning scheme 'bonsai': choose one of block_column_row, "),
        ("pattern(", r"unknown pruning scheme 'pattern\('"),
        ("pattern(size=4)", "'pattern' takes taps, patterns, filters, library, not 'size'"),
        ("filter(n=4)", "'filter' takes no parameters, not 'n'"),
        ("pattern(taps=four)", "taps is a whole number, not 'four'"),
        ("block_column_row(row_share=half)", "row_share is a number, not 'half'"),
        ("kernel_group(vanilla=1)", "vanilla is true or false, not '1'"),
    ],
)
def test_text_that_names_no_scheme(text: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        parse_scheme(text)


@pytest.mark.parametrize(
    ("text", "shape", "rate", "message"),
    [
        ("unstructured", (4, 4, 9), 0.5, "^a pruning rate is at least 1 .* not 0.5$"),
        ("unstructured", (4, 4, 9), float("nan"), "^a pruning rate is at least 1 .* not nan$"),
        ("filter", (4, 4, 9), 9, "^filter at a rate of 9 keeps nothing: choose a smaller rate$"),
        ("channel", (64, 1, 9), 8, "keeps nothing"),
        ("column", (64, 1, 1), 8, "keeps nothing"),
        ("block_punched", (64, 1, 1), 8, "keeps nothing"),
        ("kernel_group(vanilla=true)", (8, 4, 9), 8, "keeps nothing"),
        ("block_column_row(filters=2)", (8, 4, 9), 1000, "keeps nothing"),
        ("pattern", (8, 4, 1), 8, "^patterns of 4 taps need kernels with more, and these have 1"),
        ("pattern", (8, 4, 81), 32, "^patterns are found in kernels of up to 62 taps, and these"),
        ("pattern", (8, 4, 9), 2, "^patterns of 4 of 9 taps prune by 2.25 at least, not 2$"),
        ("pattern", (8, 1, 9), 8, "keeps nothing"),
        ("pattern(taps=0)", (8, 4, 9), 8, "taps, patterns and filters are at least 1"),
        (
            "pattern(library=corners)",
            (8, 4, 9),
            8,
            "is natural, central, published or",
        ),
        ("pattern(taps=2, library=central)", (8, 4, 4), 8, "kernels with a tap in their centre"),
        ("crossbar", (128, 64, 9), 19, "^crossbar.* at a rate of 19 keeps nothing"),
        ("crossbar(columns=0)", (128, 64, 9), 2, "columns is at least 1, not 0"),
        ("pattern(library=0-1-2-9)", (8, 4, 9), 8, "^pattern 0-1-2-9 of library .* taps 0 to 8$"),
        ("pattern(library=0-1-2)", (8, 4, 9), 8, "is not 4 of the taps"),
        ("block_punched(filters=0)", (8, 4, 9), 8, "filters is at least 1, not 0"),
        ("block_column_row(row_share=2)", (8, 4, 9), 8, "row_share is from 0 to 1, not 2"),
        ("n_m", (8, 16, 9), 3, r"n_m\(m=4\) prunes at rates of 1, 1.33333, 2, 4, not 3$"),
        ("n_m", (8, 3, 9), 2, "needs 4 input channels, and there are 3$"),
        ("n_m(m=0)", (8, 3, 9), 2, "m is at least 1, not 0"),
    ],
)
def test_schemes_that_do_not_fit(text: str, shape: Shape, rate: float, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        parse_scheme(text).check(shape, 1, rate)


@settings(max_examples=50)
@given(layers(), st.sampled_from(sorted(PRUNING_SCHEMES)))
def test_blocks_add_up_to_what_masks_keep(layer: Layer, name: str) -> None:
    """The blocks of regularisation are those that masks keep or remove."""
    weights = np.abs(layer.weights) + np.float32(0.1)
    scheme = parse_scheme(name)
    tensor = torch.from_numpy(weights)
    for blocks in scheme.blocks(weights.shape, layer.groups):
        energies = blocks.energies(tensor)
        assert energies.shape == blocks.counts(tensor).shape
        assert float(energies.sum()) == pytest.approx(float(np.square(weights).sum()), rel=1e-4)
        assert float(blocks.counts(tensor).sum()) == weights.size
    if len(scheme.blocks(weights.shape, layer.groups)) == 1:
        (blocks,) = scheme.blocks(weights.shape, layer.groups)
        kept = torch.from_numpy(scheme.mask(weights, 2, layer.groups)).float()
        full = blocks.energies(kept) / blocks.counts(tensor)
        assert bool(((full == 0) | (full == 1)).all())

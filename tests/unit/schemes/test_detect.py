"""Detection from zeros alone: masks of each scheme, what PyTorch prunes, and hints that lie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import prune
from unit.schemes.layers import Layer, layers, schemes, spread

from niwaki.schemes import (
    SCHEMES,
    BlockPunched,
    Channel,
    CostModel,
    Dense,
    Scheme,
    Unstructured,
    block_punched_mask,
    detect,
)
from niwaki.schemes.base import Bools, Shape, Weights

SHAPE = (64, 48, 9)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def gaussian(shape: Shape = SHAPE, seed: int = 1) -> Weights:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def exactly(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> Bools:
    """A mask of which exactly `share` is true."""
    size = int(np.prod(shape))
    return (rng.permutation(size) < round(share * size)).reshape(shape)


# Masks of each scheme


@pytest.mark.parametrize("filters", [32, 16, 8, 4, 2])
@pytest.mark.parametrize("channels", [48, 16, 4, 1])
def test_block_punched(rng: np.random.Generator, filters: int, channels: int) -> None:
    blocks = exactly(rng, (64 // filters, 48 // channels, 9), 1 / 3)
    found = detect(gaussian() * spread(blocks, filters, channels, SHAPE))
    assert found.scheme == BlockPunched(filters, channels)
    assert found.stored == found.nonzero == found.total / 3
    blocks_of = f"{filters} filters" + (f" x {channels} channels" if channels > 1 else "")
    assert found.reason == f"33.3 % kept in blocks of {blocks_of}"


@pytest.mark.parametrize("filters", [32, 16, 8, 4, 2])
@pytest.mark.parametrize("channels", [4, 1])
def test_block_punched_with_one_tap(rng: np.random.Generator, filters: int, channels: int) -> None:
    shape = (128, 96, 1)
    blocks = exactly(rng, (128 // filters, 96 // channels, 1), 0.25)
    found = detect(gaussian(shape) * spread(blocks, filters, channels, shape))
    assert found.scheme == BlockPunched(filters, channels)
    assert found.stored == found.nonzero


def test_block_punched_with_remainders(rng: np.random.Generator) -> None:
    shape = (35, 10, 9)
    blocks = rng.random((5, 3, 9)) < 0.25
    found = detect(gaussian(shape) * spread(blocks, 8, 4, shape))
    assert found.scheme == BlockPunched(8, 4)
    assert found.stored == found.nonzero


def test_block_punched_in_3d(rng: np.random.Generator) -> None:
    shape = (64, 16, 27)
    found = detect(gaussian(shape) * spread(rng.random((8, 4, 27)) < 0.3, 8, 4, shape))
    assert found.scheme == BlockPunched(8, 4)


def test_block_punched_in_groups_with_remainders() -> None:
    weights = gaussian((3 * 20, 16, 9))
    found = detect(weights * block_punched_mask(weights, 4, 8, groups=3), groups=3)
    assert found.scheme == BlockPunched(8, 1)
    assert found.stored == found.nonzero == 3 * 20 * 36
    # Without the groups the blocks seem to straddle, and only smaller ones fit.
    assert detect(weights * block_punched_mask(weights, 4, 8, groups=3)).scheme == BlockPunched(
        4, 1
    )


def test_blocks_of_all_filters() -> None:
    weights = gaussian((12, 16, 9))
    found = detect(weights * block_punched_mask(weights, 8, 12))
    assert found.scheme == BlockPunched(12, 1)


def test_channel(rng: np.random.Generator) -> None:
    filters, channels = exactly(rng, (64,), 0.5), exactly(rng, (48,), 0.5)
    found = detect(gaussian() * filters[:, None, None] * channels[:, None])
    assert found.scheme == Channel()
    assert found.stored == found.nonzero == found.total / 4
    assert found.reason == "25 % kept as whole filters and channels"


def test_channel_in_groups(rng: np.random.Generator) -> None:
    channels = np.repeat(rng.random((4, 1, 48)) < 0.5, 16, axis=1).reshape(64, 48, 1)
    found = detect(gaussian() * channels, groups=4)
    assert found.scheme == Channel()
    assert found.stored == found.nonzero


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_unstructured(rng: np.random.Generator, share: float) -> None:
    found = detect(gaussian() * exactly(rng, SHAPE, share))
    assert found.scheme == Unstructured()
    assert found.stored == found.nonzero
    assert re.fullmatch(f"{100 * share:g} % kept at any position", found.reason)


def test_scattered_weights_fill_pairs_when_that_is_cheaper(rng: np.random.Generator) -> None:
    cheap_pairs = CostModel(per_weight=((1, 2.7), (2, 1.35)))
    found = detect(gaussian() * exactly(rng, SHAPE, 0.35), model=cheap_pairs)
    assert found.scheme == BlockPunched(2, 1)
    assert re.fullmatch(r"5\d.* % kept in blocks of 2 filters, 3\d.* % of that zeros", found.reason)


def test_depthwise(rng: np.random.Generator) -> None:
    weights = gaussian((64, 1, 9)) * exactly(rng, (64, 1, 9), 0.5)
    assert detect(weights, groups=64).scheme == Unstructured()
    assert detect(gaussian((64, 1, 9)), groups=64).scheme == Dense()


# Layers that stay dense


def test_nothing_pruned() -> None:
    found = detect(gaussian())
    assert found.scheme == Dense()
    assert found.stored == found.nonzero == found.total
    assert found.reason == "stays dense: no weight is zero"


def test_one_zero() -> None:
    weights = gaussian()
    weights[3, 4, 5] = 0
    found = detect(weights)
    assert found.scheme == Dense()
    assert found.nonzero == found.total - 1
    assert found.stored == found.total
    assert (
        found.reason
        == "stays dense: over 99.9 % of the weights are kept, too many to gain from the others"
    )


def test_too_many_scattered_weights(rng: np.random.Generator) -> None:
    found = detect(gaussian() * exactly(rng, SHAPE, 0.712))
    assert found.scheme == Dense()
    assert found.reason == (
        "stays dense: 71.2 % of the weights are kept, which as unstructured would take 142 % "
        "of the dense time"
    )


def test_too_little_gain(rng: np.random.Generator) -> None:
    # 91 % of the weights, but those of blocks of 4 filters cost 1.1 each.
    found = detect(gaussian() * spread(exactly(rng, (16, 48, 9), 0.905), 4, 1, SHAPE))
    assert found.scheme == Dense()
    assert found.reason == (
        "stays dense: 90.5 % of the weights are kept, which as block_punched(4x1) would take "
        "99.5 % of the dense time"
    )


# Stray values


def test_single_stray_weight_in_a_zero_layer() -> None:
    weights = np.zeros(SHAPE, dtype=np.float32)
    weights[37, 21, 3] = 1
    found = detect(weights)
    assert found.scheme == Unstructured()
    assert found.stored == 1


def test_single_stray_weight_beside_blocks() -> None:
    weights = gaussian()
    mask = block_punched_mask(weights, 8, 8)
    stray = tuple(np.argwhere(~mask)[1000])
    mask[stray] = True
    found = detect(weights * mask)
    assert found.scheme == BlockPunched(8, 1)
    assert found.stored == found.nonzero + 7
    assert found.reason == "12.5 % kept in blocks of 8 filters, 0.202 % of that zeros"


def test_single_stray_weight_beside_channels(rng: np.random.Generator) -> None:
    channels = exactly(rng, (48, 1), 0.5)
    weights = gaussian() * channels
    weights[5, np.flatnonzero(~channels)[0], 5] = 1
    found = detect(weights)
    # Cheaper than a whole channel for one weight.
    assert found.scheme == BlockPunched(32, 1)
    assert found.stored == found.nonzero + 31


def test_all_zero_filters_inside_blocks(rng: np.random.Generator) -> None:
    weights = gaussian() * block_punched_mask(gaussian(), 8, 8)
    weights[exactly(rng, (64,), 0.25)] = 0
    found = detect(weights)
    assert found.scheme == BlockPunched(8, 1)
    assert found.stored > found.nonzero


def test_all_zero_layer() -> None:
    found = detect(np.zeros(SHAPE, dtype=np.float32))
    assert found.scheme == Channel()
    assert found.stored == found.nonzero == 0
    assert found.reason == "0 % kept as whole filters and channels"


def test_negative_zero_is_zero_and_nan_and_infinity_are_not() -> None:
    weights = np.full((8, 4, 9), -0.0, dtype=np.float32)
    assert detect(weights).nonzero == 0
    weights[0, 0, :3] = np.nan, np.inf, -np.inf
    assert detect(weights).nonzero == 3


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_dtypes(dtype: type[np.generic]) -> None:
    weights = block_punched_mask(gaussian(), 8, 8).astype(dtype)
    assert detect(weights).scheme == BlockPunched(8, 1)


def test_detection_leaves_the_weights_alone() -> None:
    weights = gaussian() * block_punched_mask(gaussian(), 8, 8)
    before = weights.copy()
    weights.setflags(write=False)
    detect(weights, hint=Channel())
    assert np.array_equal(weights, before)


# Layers that PyTorch pruned


@pytest.mark.parametrize(
    ("method", "options", "scheme"),
    [
        (prune.random_unstructured, {"amount": 0.9}, Unstructured()),
        (prune.random_unstructured, {"amount": 0.3}, Dense()),
        (prune.l1_unstructured, {"amount": 0.9}, Unstructured()),
        (prune.l1_unstructured, {"amount": 0.3}, Dense()),
        (prune.ln_structured, {"amount": 0.5, "n": 2, "dim": 0}, Channel()),
        (prune.ln_structured, {"amount": 0.5, "n": 2, "dim": 1}, Channel()),
        (prune.random_structured, {"amount": 0.25, "dim": 1}, Channel()),
        (prune.ln_structured, {"amount": 2, "n": 1, "dim": 3}, BlockPunched(32, 48)),
    ],
)
def test_torch_prune(method: Callable[..., Any], options: dict[str, Any], scheme: Scheme) -> None:
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(48, 64, 3)
    method(conv, "weight", **options)
    prune.remove(conv, "weight")
    weights = conv.weight.detach().numpy().reshape(SHAPE)
    found = detect(weights)
    assert found.scheme == scheme
    assert found.nonzero == np.count_nonzero(weights)


def test_torch_prune_of_a_linear_layer() -> None:
    torch.manual_seed(0)
    linear = torch.nn.Linear(128, 10)
    prune.ln_structured(linear, "weight", amount=0.75, n=2, dim=1)
    found = detect(linear.weight.detach().numpy()[:, :, None])
    assert found.scheme == Channel()
    assert found.stored == 10 * 32


# Hints


def punched() -> Weights:
    weights = gaussian()
    return weights * block_punched_mask(weights, 8, 8)


@pytest.mark.parametrize("hint", [BlockPunched(8, 1), BlockPunched(4, 1)])
def test_true_hint(hint: Scheme) -> None:
    found = detect(punched(), hint=hint)
    # Blocks of 8 are also blocks of 4, but those would cost more.
    assert found.scheme == BlockPunched(8, 1)
    assert ("refused" in found.reason) == (hint != found.scheme)


def test_hint_may_know_better_than_what_is_tried() -> None:
    weights = gaussian((66, 48, 9))
    weights *= block_punched_mask(weights, 4, 6)
    hinted = detect(weights, hint=BlockPunched(6, 1))
    assert hinted.scheme == BlockPunched(6, 1)
    assert hinted.reason == "25 % kept in blocks of 6 filters"
    assert detect(weights).scheme == BlockPunched(2, 1)


def test_equal_hint_wins_over_what_is_tried() -> None:
    weights = gaussian((64, 48, 9))
    weights *= block_punched_mask(weights, 8, 64)
    assert detect(weights).scheme == BlockPunched(32, 1)
    assert detect(weights, hint=BlockPunched(64, 1)).scheme == BlockPunched(64, 1)


@pytest.mark.parametrize(
    ("hint", "refusal"),
    [
        (
            BlockPunched(16, 1),
            r"storing 24 % of the weights it costs 29\.8 % of dense, ",
        ),
        (BlockPunched(8, 48), r"storing \S+ % of the weights it costs \S+ % of dense, "),
        (Channel(), r"storing 100 % of the weights it costs 144 % of dense, "),
        (Dense(), r"storing 100 % of the weights it costs 100 % of dense, "),
        (Unstructured(), r"storing 12\.5 % of the weights it costs 25 % of dense, "),
    ],
    ids=str,
)
def test_wasteful_hint(hint: Scheme, refusal: str) -> None:
    found = detect(punched(), hint=hint)
    assert found.scheme == BlockPunched(8, 1)
    expected = (
        rf"12\.5 % kept in blocks of 8 filters; hint {re.escape(str(hint))} refused:"
        rf" {refusal}block_punched\(8x1\) 12\.5 %"
    )
    assert re.fullmatch(expected, found.reason)


def test_hint_on_a_dense_layer() -> None:
    found = detect(gaussian(), hint=BlockPunched(8, 1))
    assert found.scheme == Dense()
    assert found.reason == (
        "stays dense: no weight is zero; hint block_punched(8x1) refused:"
        " storing 100 % of the weights it costs 100 % of dense, dense 100 %"
    )
    assert detect(gaussian(), hint=Dense()).reason == "stays dense: no weight is zero"


def test_hint_whose_parameters_fit_nothing() -> None:
    found = detect(punched(), hint=BlockPunched(0, 4))
    assert found.scheme == BlockPunched(8, 1)
    assert found.reason == (
        "12.5 % kept in blocks of 8 filters; hint block_punched(0x4) refused:"
        " block_punched(0x4) needs blocks of at least 1 filter and 1 channel"
    )


def test_hint_that_does_not_cover_the_nonzeros() -> None:
    found = detect(punched(), hint=Centre())
    assert found.scheme == BlockPunched(8, 1)
    lost = np.count_nonzero(np.delete(punched(), 4, axis=2))
    assert found.reason == (
        "12.5 % kept in blocks of 8 filters; hint centre refused:"
        f" it leaves out {lost} of {found.nonzero} nonzero weights"
    )


# New schemes and other machines


@dataclass(frozen=True)
class Centre(Scheme):
    """Keeps the middle tap of every kernel, whatever the weights say."""

    name: ClassVar[str] = "centre"
    rank: ClassVar[int] = 5

    def filters_per_block(self, shape: Shape, groups: int = 1) -> int:
        return shape[0] // groups

    def describe(self) -> str:
        return "in the middle of kernels"

    def _mask(self, nonzero: Bools) -> Bools:
        mask = np.zeros_like(nonzero)
        mask[..., nonzero.shape[3] // 2] = True
        return mask


class ProposedCentre(Centre):
    @classmethod
    def propose(cls, nonzero: Bools, groups: int, slack: float) -> Iterator[Scheme]:
        if not np.delete(nonzero, nonzero.shape[2] // 2, axis=2).any():
            yield cls()


def test_a_new_scheme_is_detected_when_it_proposes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = gaussian() * (np.arange(9) == 4)
    monkeypatch.setitem(SCHEMES, "centre", Centre)
    assert detect(weights).scheme == BlockPunched(32, 48)
    monkeypatch.setitem(SCHEMES, "centre", ProposedCentre)
    found = detect(weights)
    assert found.scheme == ProposedCentre()
    assert found.reason == "11.1 % kept in the middle of kernels"


def test_cost_of_a_weight() -> None:
    model = CostModel()
    costs = {filters: model.weight(filters) for filters in (1, 2, 3, 4, 7, 8, 32, 512)}
    assert costs == {1: 2.0, 2: 1.25, 3: 1.25, 4: 1.1, 7: 1.1, 8: 1, 32: 1, 512: 1}


def test_a_machine_that_shares_no_loads_prefers_exact_schemes() -> None:
    flat = CostModel(per_weight=((1, 1.0),))
    weights = gaussian() * exactly(np.random.default_rng(0), SHAPE, 0.7)
    assert detect(weights).scheme == Dense()
    assert detect(weights, model=flat).scheme == Unstructured()


# Properties


@given(layers(), st.none() | schemes())
def test_no_other_scheme_is_clearly_cheaper(layer: Layer, hint: Scheme | None) -> None:
    model = CostModel(padding=0)
    found = detect(layer.weights, layer.groups, hint, model)
    assert found.nonzero == np.count_nonzero(layer.weights)
    assert found.total == layer.weights.size
    assert found.stored == found.scheme.stored(layer.nonzero, layer.groups) >= found.nonzero
    sizes = {min(size, layer.weights.shape[0] // layer.groups) for size in (32, 16, 8, 4, 2)}
    blocks = [BlockPunched(size, 1) for size in sizes]
    for other in (Dense(), Channel(), Unstructured(), *blocks):
        # Twice the slack: one for the filters of a block, one for its channels.
        assert cost(found.scheme, layer, model) <= cost(other, layer, model) * 1.01**2


def cost(scheme: Scheme, layer: Layer, model: CostModel) -> float:
    filters, channels, taps = layer.weights.shape
    sharing = scheme.filters_per_block((filters, channels, taps), layer.groups)
    return scheme.computed(layer.nonzero, layer.groups) * model.stored(scheme, sharing)


@given(layers())
def test_what_was_detected_is_detected_again_as_a_hint(layer: Layer) -> None:
    found = detect(layer.weights, layer.groups)
    assert detect(layer.weights, layer.groups, hint=found.scheme) == found

"""Levels of weights: what is nearest, which scale is best, and what cells make of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from niwaki.errors import NiwakiError
from niwaki.pruning import Levels


def random_weights(seed: int, shape: tuple[int, ...], kept: float) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=generator)
    return weight, torch.rand(shape, generator=generator) < kept


def errors(levels: Levels, weight: torch.Tensor, mask: torch.Tensor, scale: Any) -> torch.Tensor:
    """Squared error of each filter, by comparison with all levels."""
    signed = torch.cat([-levels.magnitudes, levels.magnitudes])
    apart = (weight[..., None] - scale[..., None] * signed).square().amin(dim=-1)
    return (apart * mask).flatten(1).sum(dim=1)


@given(st.integers(0, 999), st.sampled_from(["even", "0.1/0.2/0.7/1.5", "3"]), st.integers(2, 9))
def test_nearest_is_that_of_all_levels(seed: int, states: str, bits: int) -> None:
    levels = Levels(bits=bits, cell_bits=8, states=states)
    values, _ = random_weights(seed, (40,), 1)
    signed = torch.cat([-levels.magnitudes, levels.magnitudes])
    distance = (values[:, None] - signed).abs()
    found = levels.nearest(values)
    assert bool(torch.isin(found, signed).all())
    torch.testing.assert_close((values - found).abs(), distance.amin(dim=1), rtol=0, atol=1e-6)


def test_zero_gets_a_level_too_and_nan_none() -> None:
    assert bool(Levels().nearest(torch.tensor([float("nan")])).isnan())
    assert Levels(bits=3).nearest(torch.tensor([0.0, -1e-9])).tolist() == pytest.approx([0.1, -0.1])


@given(st.integers(0, 999), st.integers(2, 5), st.booleans(), st.sampled_from([0.2, 0.6, 1.0]))
def test_scale_is_the_best_of_all(seed: int, bits: int, per_filter: bool, kept: float) -> None:
    levels = Levels(bits=bits, per_filter=per_filter)
    weight, mask = random_weights(seed, (4, 3, 3, 3), kept)
    scale = levels.scale(weight, mask)
    assert scale.shape == ((4, 1, 1, 1) if per_filter else (1, 1, 1, 1))
    # All weights may be at the smallest level, a tenth of the scale.
    tried = torch.logspace(-2, 1, 500) * weight.abs().max()
    each = torch.stack([errors(levels, weight, mask, s.expand(1, 1, 1, 1)) for s in tried])
    found = errors(levels, weight, mask, scale)
    energy = (weight * mask).square().flatten(1).sum(dim=1)
    if not per_filter:
        each, found, energy = each.sum(dim=1), found.sum(), energy.sum()
    # The best scale of few weights may lie between two starts.
    assert bool((found <= each.amin(dim=0) + 1e-6 + 3e-3 * energy).all())


def test_scale_of_few_weights_may_exceed_them() -> None:
    """Weights that lie on the lowest levels alone have the scale of those."""
    levels = Levels(bits=3)
    weight = 5 * torch.tensor([[0.1, 0.4, -0.1, 0.4, -0.4]])
    found = levels.scale(weight, torch.ones_like(weight, dtype=torch.bool))
    assert float(found) == pytest.approx(5)


def test_scale_of_weights_on_levels_is_theirs() -> None:
    levels = Levels()
    weight, mask = random_weights(1, (64, 32, 3, 3), 0.3)
    on = levels.nearest(weight / 2.2) * 2.2 * mask
    scale = levels.scale(on, mask)
    assert float(scale) == pytest.approx(2.2, rel=1e-5)
    better = levels.rescale(on, levels.nearest(on / scale) * mask, scale)
    assert float(better) == pytest.approx(2.2, rel=1e-6)


def test_nothing_kept_has_scale_1() -> None:
    levels = Levels(per_filter=True)
    mask = torch.zeros(2, 3, dtype=torch.bool)
    assert levels.scale(torch.ones(2, 3), mask).tolist() == [[1], [1]]


@pytest.mark.parametrize(("bits", "cells"), [(2, 1), (5, 1), (9, 2)])
def test_cells_add_up_to_magnitudes(bits: int, cells: int) -> None:
    levels = Levels(bits=bits)
    shares = levels.cell_shares(levels.magnitudes)
    assert shares.shape == (2 ** (bits - 1), cells)
    assert float(shares.min()) >= levels.least - 1e-6
    states = {round(float(share), 5) for share in shares.flatten()}
    assert len(states) == min(16, 2 ** (bits - 1))
    places = 16.0 ** torch.arange(cells - 1, -1, -1)
    torch.testing.assert_close(shares @ places / places.sum(), levels.magnitudes)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"bits": 1}, "^weights have 2 to 9 bits, their sign among them, and cells 1 or more, not"),
        ({"bits": 10}, "^weights have 2 to 9 bits, .* not 10 and 4$"),
        ({"cell_bits": 0}, "^weights have 2 to 9 bits, .* not 5 and 0$"),
        ({"bits": 8}, "^weights of 8 bits, one of .* do not fill cells of 4 bits: choose 5 or 9$"),
        ({"least": 0}, "^the smallest level is above 0 and below 1, the largest, not 0$"),
        ({"least": float("nan")}, "^the smallest level is above 0 and .* not nan$"),
        ({"states": "0/1"}, "^states of cells are finite and above 0, not 0/1$"),
        ({"states": "nan/1"}, "^states of cells are finite and above 0, not nan/1$"),
        ({"states": "-1/1"}, "^states of cells are finite and above 0, not -1/1$"),
        (
            {"states": "much"},
            "^states of cells are even, or numbers as in 0.12/0.4/0.75/1, not 'much'$",
        ),
    ],
)
def test_numbers_out_of_range(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        Levels(**numbers)


def test_weights_that_are_not_finite() -> None:
    weight, mask = torch.tensor([[1.0, float("nan")]]), torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(NiwakiError, match=r"^weights that are not finite have no nearest level"):
        Levels().scale(weight, mask)

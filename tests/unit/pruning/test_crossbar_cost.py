"""Area and power on crossbars, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    CrossbarHardware,
    Levels,
    PruningConfig,
    count_tiles,
    crossbar_costs,
    total_cost,
)


@given(
    st.integers(1, 20), st.integers(1, 20), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99)
)
def test_dense_matrix_is_cut_into_tiles(
    filters: int, columns: int, height: int, width: int, seed: int
) -> None:
    dense = np.ones((filters, columns), np.bool_)
    whole = -(-filters // height) * -(-columns // width)
    assert count_tiles(dense, height, width) == whole
    kept = np.random.default_rng(seed).random((filters, columns)) < 0.3
    tiles = count_tiles(kept, height, width)
    assert kept.sum() / (height * width) <= tiles <= whole


def test_strips_take_what_they_keep() -> None:
    kept = np.zeros((256, 576), np.bool_)
    kept[:128, ::9] = True
    kept[128:, 0] = True
    assert count_tiles(kept, 128, 64) == 2
    kept[:128, 1] = True
    assert count_tiles(kept, 128, 64) == 3
    every_other = np.zeros((256, 64), np.bool_)
    every_other[::2] = True
    assert count_tiles(every_other, 128, 64) == 1
    assert count_tiles(np.zeros((4, 4), np.bool_), 2, 2) == 0


def test_rate_of_the_scheme_is_that_of_crossbars() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(64, 128, 3, bias=False))
    config = PruningConfig("crossbar", 9, include=["*"])
    pruned = niwaki.prune(model, config=config, method="magnitude")
    (before,), (after,) = crossbar_costs(model), crossbar_costs(pruned)
    assert (before.crossbars, after.crossbars) == (2 * 9, 2)
    assert before.area == pytest.approx(9 * after.area)
    assert before.cells == 128 * 576
    assert after.cells == 128 * 64


def test_power_is_that_of_conductances() -> None:
    layer = nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.tensor([[1.0, -0.1, 0.0], [0.0, 0.4, 1.0]])
    hardware = CrossbarHardware(2, 2, r_min=1e6, read_voltage=0.5, adc_power=1.0, dac_power=0.25)
    (cost,) = crossbar_costs(layer, Levels(states="0.1/0.4/1"), hardware)
    assert cost.cells == 4
    assert cost.cell_power == pytest.approx(0.25 * (1 + 0.1 + 0.4 + 1) / 1e6)
    assert cost.crossbars == 2 * 2
    assert cost.converter_power == pytest.approx(4 * (1 + 2 * 0.25))
    area = 4 * hardware.cell_area + hardware.adc_area + 2 * hardware.dac_area
    assert cost.area == pytest.approx(4 * area)
    assert cost.power == cost.cell_power + cost.converter_power


def test_more_bits_are_more_cells_and_groups_share_nothing() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(8, 8, 3, groups=2), nn.Flatten(), nn.Linear(8, 5))
    few, many = crossbar_costs(model, Levels(5)), crossbar_costs(model, Levels(9))
    assert [cost.name for cost in few] == ["0", "2"]
    assert [cost.crossbars for cost in few] == [2 * 2, 2]
    for five, nine in zip(few, many, strict=True):
        assert nine.cells == 2 * five.cells
        assert nine.crossbars == 2 * five.crossbars
        assert nine.cell_power > 1.5 * five.cell_power
    total = total_cost(many)
    assert total.crossbars == sum(cost.crossbars for cost in many)
    assert total.power == pytest.approx(sum(cost.power for cost in many))


def test_numbers_out_of_range() -> None:
    with pytest.raises(NiwakiError, match=r"^r_min of a crossbar is above 0, not -1$"):
        CrossbarHardware(r_min=-1)
    layer = nn.Linear(2, 2)
    layer.weight.data[0, 0] = float("inf")
    model = nn.Sequential(layer)
    with pytest.raises(NiwakiError, match=r"^0: weights that are not finite have no nearest"):
        crossbar_costs(model)

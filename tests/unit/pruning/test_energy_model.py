"""Energies against numbers that are counted by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.pruning import EnergyModel, LayerSetting, LayerWork
from niwaki.pruning.energy.counting import Counts

BITS8 = LayerSetting()
ONES = EnergyModel(product=64, addition=0, float_multiply_add=1, weight_byte=8, activation_byte=8)


def network() -> nn.Sequential:
    """On 1x8x8: 4x8x8, 6x4x4, and 10."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(96, 10),
    ).eval()


def works(model: nn.Module, settings: dict[str, LayerSetting] | None = None) -> list[LayerWork]:
    counts = Counts(model, torch.randn(3, 1, 8, 8))
    return counts.works(settings or {dense.layer.name: BITS8 for dense in counts.layers})


def test_dense_layers() -> None:
    assert works(network()) == [
        LayerWork("0", 36 * 64, 36, 0, 64, 256, ("2",)),
        LayerWork("2", 216 * 16, 216, 0, 256, 96, ("6",)),
        LayerWork("6", 960, 960, 0, 96, 10),
    ]


def test_energy_of_a_layer() -> None:
    work = LayerWork("a", multiply_adds=1000, weights=100, index_bits=40, read=50, written=20)
    settings = {"a": LayerSetting(weight_bits=4, activation_bits=6)}
    (layer,) = EnergyModel().layers([work], settings)
    assert layer.multiply_adds == pytest.approx(1000 * (0.2 * 24 / 64 + 0.1))
    assert layer.weights == pytest.approx((100 * 4 + 40) / 8 * 162.5)
    assert layer.activations == pytest.approx((50 * 6 + 20 * 32) / 8 * 12.5)
    assert layer.total == layer.multiply_adds + layer.weights + layer.activations


def test_results_have_the_width_of_their_widest_reader() -> None:
    one = LayerWork("a", 0, 0, 0, read=0, written=10, readers=("b", "c"))
    others = [LayerWork(name, 0, 0, 0, read=0, written=0) for name in "bc"]
    settings = {
        "a": LayerSetting(activation_bits=2),
        "b": LayerSetting(activation_bits=3),
        "c": LayerSetting(activation_bits=5),
    }
    assert ONES.total([one, *others], settings) == 10 * 5


def test_products_scale_with_both_widths_and_floats_are_floats() -> None:
    energy = EnergyModel()
    assert energy.multiply_add(8, 8) == pytest.approx(0.3)
    assert energy.multiply_add(4, 8) == energy.multiply_add(8, 4) == pytest.approx(0.2)
    assert energy.multiply_add(32, 8) == energy.multiply_add(8, 32) == pytest.approx(4.6)


def test_removed_weights_are_not_counted() -> None:
    model = network()
    model[2].weight.data[:, :, 0] = 0
    settings = dict.fromkeys("026", BITS8)
    settings["2"] = LayerSetting("unstructured", 1.5)
    (_, second, _) = works(model, settings)
    assert second == LayerWork("2", 144 * 16, 144, 216, 256, 96, ("6",))


@pytest.mark.parametrize(
    ("scheme", "bits"), [("filter", 6), ("block_punched(filters=4)", 2 * 36), ("pattern", 216)]
)
def test_indices_are_a_bit_for_each_unit(scheme: str, bits: int) -> None:
    settings = dict.fromkeys("026", BITS8)
    settings["2"] = LayerSetting(scheme, 3)
    assert works(network(), settings)[1].index_bits == bits


def test_removed_filters_are_counted_nowhere() -> None:
    """Nor what read their channels; flattening makes 16 of one."""
    model = network()
    for layer in (model[0], model[2]):
        layer.weight.data[:2] = 0
    first, second, last = works(model)
    assert first == LayerWork("0", 18 * 64, 18, 0, 64, 128, ("2",))
    assert second == LayerWork("2", 4 * 2 * 9 * 16, 72, 0, 128, 64, ("6",))
    assert last == LayerWork("6", 640, 640, 0, 64, 10)


def test_channels_of_a_sum_stay_while_one_of_its_terms_has_them() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.branch = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1)
            self.last = nn.Conv2d(4, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.stem(x)
            result: Tensor = self.last(y + self.branch(y))
            return result

    model = Residual()
    model.branch.weight.data[:3] = 0
    stem, branch, last = works(model)
    assert (branch.weights, branch.read, branch.written) == (4, 256, 64)
    assert (last.weights, last.read) == (4, 256)
    assert stem.readers == branch.readers == ("branch", "last")
    model.stem.weight.data[:2] = 0
    _, branch, last = works(model)
    assert (branch.weights, branch.read) == (2, 128)
    assert (last.weights, last.read) == (2, 128)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.ReLU(), "the network has no convolution or linear layer to quantise"),
        (
            nn.Sequential(nn.Linear(4, 4), nn.GRU(4, 4)),
            "1.weight_ih_l0: inputs of a GRU cannot be quantised from outside, so its energy is "
            "not known: give a network of convolutions and linear layers",
        ),
        (nn.Linear(4, 4).double(), ": its weights are float64: give model.float()"),
        (
            nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))),
            "0: its weight is empty or computed in each call, as under a mask or weight norm: make "
            "it a plain one first",
        ),
    ],
)
def test_other_networks(model: Any, message: str) -> None:
    with pytest.raises(NiwakiError) as error:
        Counts(model, torch.zeros(2, 4))
    assert str(error.value) == message


def test_numbers_out_of_range() -> None:
    for value, told in ((-1, "-1"), (math.inf, "inf"), ("2", "'2'"), (None, "None")):
        with pytest.raises(NiwakiError, match=rf"^product is picojoules, 0 or more, not {told}$"):
            EnergyModel(product=value)  # type: ignore[arg-type]

"""Quantisation against plain references, and networks that are put back."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from unit.pruning.tiny_task import accuracy, loader

from niwaki.errors import NiwakiError
from niwaki.pruning import LayerSetting, find_layers, load_settings, save_settings
from niwaki.pruning.energy.compress import Compressor
from niwaki.pruning.energy.quantise import CLIPS, QuantiseInput, Range, best_range, quantise_weight

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ("0", "2", "6", "10")


def nearest(values: np.ndarray, scale: float, least: int, most: int) -> np.ndarray:
    return np.clip(np.round(values / scale), least, most) * scale


@given(st.integers(2, 8), st.integers(0, 99))
def test_weights_are_as_a_loop_over_scales_has_them(bits: int, seed: int) -> None:
    weight = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(seed))
    most = 2 ** (bits - 1) - 1
    for filter, found in zip(weight.numpy(), quantise_weight(weight, bits).numpy(), strict=True):
        tried = [nearest(filter, np.abs(filter).max() * c / most, -most, most) for c in CLIPS]
        least = min(float(((t - filter) ** 2).sum()) for t in tried)
        assert ((found - filter) ** 2).sum() == pytest.approx(least, rel=1e-4)
        assert len(np.unique(found)) <= 2 * most + 1


def test_zeros_stay() -> None:
    weight = torch.randn(4, 9)
    weight[1], weight[2, ::2] = 0, 0
    for bits in (2, 5, 8):
        quantised = quantise_weight(weight, bits)
        assert not bool(quantised[weight == 0].any())
        assert bool(quantised.isfinite().all())
    assert quantise_weight(weight, 32) is weight


@given(st.integers(2, 8), st.floats(-3, 0), st.floats(0, 3))
def test_activations_are_the_nearest_values_of_a_range(bits: int, low: float, high: float) -> None:
    values = torch.linspace(-4, 4, 101)
    found = Range(low, high, bits)(values)
    steps = 2**bits - 1
    scale = (high - low) / steps
    if scale < 1e-30:
        assert not bool(found.any()) or scale
        return
    zero = round(-low / scale)
    expected = nearest(values.double().numpy(), scale, -zero, steps - zero)
    # Where a value is half way between two, floats may choose the other one.
    assert np.abs(found.numpy() - expected).max() <= scale * 1.001
    assert np.mean(np.abs(found.numpy() - expected) > 1e-3 * scale + 1e-6) < 0.1
    assert float(Range(low, high, bits)(torch.zeros(1))) == 0


def test_ranges_leave_out_what_is_rare() -> None:
    samples = torch.cat([torch.rand(5000), torch.tensor([20.0])])
    assert best_range(samples, 3).high < 10 < best_range(torch.rand(5000) * 20, 3).high
    assert best_range(samples, 3).low == 0
    assert best_range(-samples, 8).high == 0
    assert not bool(best_range(torch.zeros(9), 4)(torch.ones(3)).any())


def test_inputs_by_name_are_rounded_too() -> None:
    layer = nn.Linear(2, 1)
    x = torch.tensor([[0.26, 0.9]])
    expected = layer(torch.tensor([[1 / 3, 1.0]]))
    layer.register_forward_pre_hook(QuantiseInput(Range(0, 1, 2)), with_kwargs=True)
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer(input=x), expected)


def settings(
    scheme: str = "unstructured", rate: float = 2, bits: int = 4
) -> dict[str, LayerSetting]:
    first = LayerSetting()
    return {name: LayerSetting(scheme, rate, bits, bits) for name in NAMES} | {
        "0": first,
        "10": first,
    }


@pytest.mark.parametrize("scheme", ["unstructured", "filter", "pattern(taps=3)"])
def test_network_is_compressed_and_put_back(dense: nn.Module, scheme: str) -> None:
    before = deepcopy(dense.state_dict())
    compressor = Compressor(dense, loader())
    model = compressor.model
    with compressor.applied(settings(scheme, 3 if scheme.startswith("pattern") else 2)) as works:
        assert [work.name for work in works] == list(NAMES)
        for layer, work in zip(find_layers(model), works, strict=True):
            assert scheme == "filter" or layer.weight.count_nonzero() <= work.weights
            for filter in layer.weight:
                assert len(filter.unique()) <= (255 if layer.name in ("0", "10") else 15)
        assert works[1].weights <= 8 * 16 * 9 / 2
        if scheme == "filter":
            gone = ~model.get_parameter("2.weight").flatten(1).any(1)
            assert int(gone.sum()) == 8
            assert not bool(model.get_parameter("3.bias")[gone].any()), "its norm gives zeros too"
        assert accuracy(model) > 0.5
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in dense.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert model.get_submodule("3").momentum == 0.1


def test_zeros_of_few_bits_are_not_removed(dense: nn.Module) -> None:
    compressor = Compressor(dense, loader())
    with compressor.applied(dict.fromkeys(NAMES, LayerSetting(weight_bits=2))) as works:
        assert not all(bool(layer.weight.all()) for layer in find_layers(compressor.model))
        assert [work.weights for work in works] == [72, 1152, 2304, 64]
        assert all(work.index_bits == 0 for work in works)


def test_network_is_put_back_after_an_error(dense: nn.Module) -> None:
    compressor = Compressor(dense, loader())
    expected = accuracy(compressor.model)
    with pytest.raises(RuntimeError, match=r"^mine$"), compressor.applied(settings()):
        raise RuntimeError("mine")
    assert accuracy(compressor.model) == expected


def test_settings_of_another_network(dense: nn.Module) -> None:
    compressor = Compressor(dense, loader())
    with pytest.raises(NiwakiError) as error, compressor.applied({"conv1": LayerSetting()}):
        pass
    assert str(error.value) == (
        "settings are for other layers: unknown are conv1, missing 0, 2, 6, 10; give those of the "
        "same network"
    )
    wrong = settings() | {"2": LayerSetting("n_m", 3)}
    with (
        pytest.raises(NiwakiError, match=r"^2: n_m\(m=4\) prunes at rates"),
        compressor.applied(wrong),
    ):
        pass


def test_no_calibration(dense: nn.Module) -> None:
    with pytest.raises(NiwakiError, match=r"^calibration has no batches: give a few"):
        Compressor(dense, [])


def test_settings_are_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(settings("filter", 1.25), path)
    assert load_settings(path) == settings("filter", 1.25)
    path.write_text('{"0": {"bits": 3}}')
    with pytest.raises(NiwakiError, match=r'settings.json: expected \{"layer": \{"scheme"'):
        load_settings(path)
    path.write_text('{"0": {"weight_bits": 9}}')
    with pytest.raises(NiwakiError, match=r"settings.json: weight_bits is 2 to 8, or 32"):
        load_settings(path)
    with pytest.raises(NiwakiError, match=r"none.json: cannot be read: No such file"):
        load_settings(tmp_path / "none.json")


def test_settings_out_of_range() -> None:
    with pytest.raises(NiwakiError, match=r"^activation_bits is 2 to 8, or 32 for floats, not 1$"):
        LayerSetting(activation_bits=1)
    with pytest.raises(NiwakiError, match=r"^weight_bits is 2 to 8, or 32 for floats, not 4.0$"):
        LayerSetting(weight_bits=4.0)  # type: ignore[arg-type]
    with pytest.raises(NiwakiError, match=r"^rate is a number from 1 on, not 0.5$"):
        LayerSetting(rate=0.5)
    with pytest.raises(NiwakiError, match=r"^unknown pruning scheme 'row'"):
        LayerSetting("row")

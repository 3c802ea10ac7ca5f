"""With a tolerance, layers that lose too much in f16 stay f32, and results are within it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import Function, ResNet
from torch import nn

import niwaki
from niwaki.runtime.emulate import Emulator

CALLS = 3


def differences() -> nn.Module:
    """The second layer subtracts numbers that are nearly equal."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)).eval()
    with torch.no_grad():
        weight = 300 * torch.randn(16, 8)
        model[1].weight.copy_(torch.cat([weight, -weight], 1))
        model[0].weight[8:] = model[0].weight[:8] + 1e-3 * torch.randn(8, 16)
        model[0].bias[8:] = model[0].bias[:8]
    return model


def overflow() -> nn.Module:
    """The first layer's sums are beyond f16, and its results are small again."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 16), nn.Linear(16, 4)).eval()
    with torch.no_grad():
        model[0].weight *= 1e6
        model[0].bias.fill_(0)
        model[0].weight.clamp_(-6e4, 6e4)
        model[1].weight *= 1e-6
    return model


def check(
    model: nn.Module, example: torch.Tensor, tolerance: float, folder: Path, **options: Any
) -> niwaki.Bundle:
    """Compile with examples of the example's kind; compare all of them with PyTorch."""
    rng = np.random.default_rng(5)
    batch = example.shape[0]
    data = rng.standard_normal((CALLS * batch, *example.shape[1:])).astype(np.float32)
    file = folder / "images.npz"
    np.savez(file, data)
    bundle = niwaki.compile(
        model, example, output=folder / "net.niwaki", precision="f16", tolerance=tolerance,
        calibrate=file, **options,
    )  # fmt: skip
    run = bundle.load()
    parts = np.split(data, CALLS)
    found = np.stack([run(x) for x in parts])
    with torch.no_grad():
        wanted = np.stack([model(torch.from_numpy(x)).numpy() for x in parts])
    assert np.abs(found - wanted).max() <= (tolerance + 1e-4) * np.abs(wanted).max()
    return bundle


def types(bundle: niwaki.Bundle) -> dict[str, str]:
    return {layer.name: layer.element for layer in bundle.layers}


def test_layers_that_lose_stay_wide(tmp_path: Path) -> None:
    bundle = check(differences(), torch.randn(2, 16), 0.01, tmp_path)
    assert types(bundle)["1"] == "f32"
    assert types(bundle)["2"] == "f16"
    reasons = {layer.name: layer.reason for layer in bundle.layers}
    assert "stays f32: in f16 it alone moves an output by " in reasons["1"]
    text = " ".join(bundle.report().split())
    assert "with layers of f16 off by 0" in text
    assert "of its largest value in f32 (tolerance 1%, measured in 3 calls with images.npz)" in text


def test_layers_that_overflow_stay_wide(tmp_path: Path) -> None:
    bundle = check(overflow(), torch.randn(2, 16), 0.01, tmp_path)
    assert types(bundle) == {"0": "f32", "1": "f32"}
    reasons = {layer.name: layer.reason for layer in bundle.layers}
    assert "stays f32: in f16 it alone makes an output infinite or NaN" in reasons["0"]


def test_all_narrow_where_the_tolerance_allows_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    bundle = check(ResNet().eval(), torch.randn(1, 3, 32, 32), 0.01, tmp_path)
    assert set(types(bundle).values()) == {"f16"}
    assert "types: 8 f16" in bundle.report()


def test_none_where_it_does_not(tmp_path: Path) -> None:
    bundle = check(differences(), torch.randn(2, 16), 1e-9, tmp_path)
    assert set(types(bundle).values()) == {"f32"}
    told = "no layer is f16, as with any the error would be larger (tolerance 1e-07%, measured in"
    assert told in " ".join(bundle.report().split())


def test_a_module_brings_its_examples(tmp_path: Path) -> None:
    """Nested inputs and keyword arguments too; outputs that are no floats are not measured."""
    torch.manual_seed(0)

    def run(self: Any, pair: tuple[torch.Tensor, torch.Tensor], scale: torch.Tensor) -> Any:
        y = self.layers["fc"](pair[0] + pair[1]) * scale
        return {"y": y, "class": y.argmax(1)}

    model = Function(run, layers=nn.ModuleDict({"fc": nn.Linear(8, 3)})).eval()
    inputs = ((torch.randn(2, 8), torch.randn(2, 8)),)
    bundle = niwaki.compile(
        model, inputs, output=tmp_path / "net.niwaki", precision="f16", tolerance=0.01,
        example_kwargs={"scale": torch.tensor(2.0)},
    )  # fmt: skip
    (remark,) = (r for r in bundle.manifest.remarks if "layers of f16" in r.reason)
    assert remark.layer == "output_y"
    assert "measured in 1 call with the example inputs" in remark.reason


def test_values_beyond_the_range_are_out_of_the_question(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)).eval()
    with torch.no_grad():
        model[1].weight[0, 0] = 1e5
    bundle = check(model, torch.randn(2, 8), 0.01, tmp_path)
    reasons = {layer.name: layer.reason for layer in bundle.layers}
    assert types(bundle) == {"0": "f16", "1": "f32"}
    assert "stays f32: it has a number of magnitude 1e+05" in reasons["1"]


@pytest.mark.requires_qemu
def test_as_on_a_phone(arm64: Emulator, tmp_path: Path) -> None:
    """What this machine computes with a phone's kernels is what the phone computes."""
    torch.manual_seed(0)
    model, x = ResNet().eval(), torch.randn(1, 3, 32, 32)
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(
        model, x, output=path, precision="f16", tolerance=7e-4, target="arm64-android"
    )
    (found,) = arm64.run_bundle(path, [x.numpy()])
    with torch.no_grad():
        wanted = model(x).numpy()
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert error <= 1.1 * 7e-4
    assert set(types(bundle).values()) == {"f16", "f32"}

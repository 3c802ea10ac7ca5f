"""Layers of f16 give PyTorch's results, up to the rounding of f16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chosen import own_family
from onnx.reference import ReferenceEvaluator
from onnx_models import model, node, normal, save
from small_networks import Function, ResNet
from torch import nn

import niwaki
from niwaki.passes import select_kernels

from .cases import Case, check
from .half_networks import check_halves, here
from .odd_layers import odd_layers, odd_patterns, odd_single_filters
from .pooled_layers import odd_pooled
from .random_layers import random_cases, random_linear, random_pool
from .recurrent_layers import odd_recurrent
from .winograd_layers import always, odd_winograd

# Inputs, weights and results are rounded to 11 bits each: of the largest value of the result.
TOLERANCE = 3e-3


def rounded(cases: Sequence[Case]) -> list[Case]:
    """Cases that are compared as f16 can be."""
    return [replace(case, tolerance=TOLERANCE) for case in cases]


def random_poolings() -> list[Case]:
    return random_cases(random_pool, 3, 20)


def random_linears() -> list[Case]:
    return random_cases(random_linear, 3, 20)


LAYERS: dict[str, Callable[[], list[Case]]] = {
    "all families": odd_layers,
    "patterns": odd_patterns,
    "single filters": odd_single_filters,
    "pooled": odd_pooled,
    "poolings": random_poolings,
    "linear": random_linears,
    "recurrent": odd_recurrent,
}


@pytest.mark.parametrize(
    ("kind", "target"), [*((kind, "host") for kind in LAYERS), ("all families", "x86-64-v3")]
)
def test_layers(kind: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    check(rounded(LAYERS[kind]()), tmp_path, target, precision="f16")


@pytest.mark.parametrize("outputs", [2, 4])
def test_winograd(outputs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transformed weights are rounded, and their errors grow where results are transformed back."""
    always(monkeypatch, outputs, 24, 16)
    cases = [replace(case, tolerance=2 * outputs * 1e-3) for case in odd_winograd(outputs)]
    compiled = check(cases, tmp_path, precision="f16")
    kernels = {layer.kernel.split()[0] for layer in compiled.bundle.layers}
    assert "winograd" in kernels


def test_networks_of_f16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being told so; tests/end_to_end/test_arm64.py has those of other families."""
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    cases = [*odd_layers(), *random_poolings(), *random_linears()]
    cases.append(Case("transposed", nn.ConvTranspose2d(6, 5, 2, 2), (torch.randn(2, 6, 7, 5),)))
    check_halves(cases, TOLERANCE, tmp_path / "net.niwaki", here)


@pytest.mark.parametrize("target", ["host", "arm64-android"])
def test_nothing_of_a_network_of_f16_is_left(target: str, tmp_path: Path) -> None:
    """Shortcuts, activations and poolings go to kernels of f16; f16 goes in and comes out."""
    torch.manual_seed(0)
    network, x = ResNet().eval().half(), torch.randn(1, 3, 32, 32).half()
    bundle = niwaki.compile(network, x, output=tmp_path / "net.niwaki", target=target)
    assert {layer.element for layer in bundle.layers} == {"f16"}
    left = [run.kernel for run in bundle.manifest.dispatches if not run.family]
    assert not left
    if target == "host":
        with torch.no_grad():
            expected = network.float()(x.float()).numpy()
        result = bundle.load()(x.numpy())
        assert result.dtype == np.float16
        assert np.abs(result - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_onnx_files_of_f16(tmp_path: Path) -> None:
    """With batch-norm, a shortcut, an activation of two ops, and a concatenation that is split."""
    nodes = [
        node("Conv", "x", "w", "b", to="a", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "a", "scale", "shift", "mean", "variance", to="n"),
        node("MaxPool", "n", to="p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Conv", "p", "v", to="c", pads=[1, 1, 1, 1]),
        node("Add", "c", "p", to="s"),
        node("Sigmoid", "s", to="g"),
        node("Mul", "s", "g", to="m"),
        node("Concat", "m", "p", to="j", axis=1),
        node("Split", "j", to=["j1", "j2"], axis=1),
        node("Mul", "j1", "j2", to="k"),
        node("GlobalAveragePool", "k", to="q"),
        node("Flatten", "q", to="f"),
        node("Gemm", "f", "u", to="y", transB=1),
    ]
    shapes = {"w": (8, 3, 3, 3), "b": (8,), "v": (8, 8, 3, 3), "u": (5, 8), "mean": (8,)}
    constants = {name: normal(*shape) / 4 for name, shape in shapes.items()}
    constants |= {"scale": 1 + normal(8) / 4, "shift": normal(8), "variance": 1 + normal(8) ** 2}
    halves = {name: value.astype(np.float16) for name, value in constants.items()}
    x = {"x": normal(1, 3, 17, 15).astype(np.float16)}
    path = save(model(nodes, x, halves), tmp_path / "half.onnx")
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    assert {layer.name: layer.element for layer in bundle.layers} == dict.fromkeys("acy", "f16")
    wide = {name: value.astype(np.float32) for name, value in (x | halves).items()}
    in_f32 = model(nodes, {"x": wide.pop("x")}, wide)
    (expected,) = ReferenceEvaluator(in_f32).run(None, {"x": x["x"].astype(np.float32)})
    result = bundle.load()(x["x"])
    assert result.dtype == np.float16
    assert np.abs(result - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_weights_of_halves_beyond_the_range(tmp_path: Path) -> None:
    """Batch-norm makes them so."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)).eval()
    with torch.no_grad():
        model[0].weight.fill_(10)
        model[1].weight.fill_(3e4)
    model, x = model.half(), torch.full((1, 4, 5, 5), 1e-2).half()
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki")
    reasons = {layer.name: layer.reason for layer in bundle.layers}
    assert "stays f32: it has a number of magnitude 3e+05" in reasons["0"]
    assert [layer.element for layer in bundle.layers] == ["f32", "f16"]


def test_layers_in_f32_among_halves_stay_so(tmp_path: Path) -> None:
    """Whoever computes one in f32 has a reason."""

    def run(self: Any, x: torch.Tensor) -> torch.Tensor:
        layers = self.layers
        y: torch.Tensor = layers["b"](layers["a"](x).float()).half()
        return layers["c"](y)

    layers = nn.ModuleDict({name: nn.Conv2d(4, 4, 1).half() for name in "abc"})
    layers["b"].float()
    with torch.no_grad():
        layers["b"].weight.add_(1e-5)
    bundle = niwaki.compile(
        Function(run, layers=layers).eval(), torch.randn(1, 4, 5, 5).half(),
        output=tmp_path / "net.niwaki",
    )  # fmt: skip
    assert [layer.element for layer in bundle.layers] == ["f16", "f32", "f16"]


def test_bundle_is_half_as_large(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = nn.Conv2d(64, 64, 3, padding=1).eval(), torch.randn(1, 64, 9, 9)
    sizes = [
        niwaki.compile(model, x, output=tmp_path / f"{name}.niwaki", precision=name).layers[0]
        for name in ("f32", "f16")
    ]
    wide, narrow = sizes
    assert wide.packed_bytes - narrow.packed_bytes == 2 * wide.weights


def test_weights_beyond_the_range_stay_wide(tmp_path: Path) -> None:
    """One layer stays f32, with a remark; its neighbours do not."""
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))).eval()
    with torch.no_grad():
        model[1].weight[0, 0, 0, 0] = 1e5
        model[1].bias.fill_(0.0)
    x = 1e-3 * torch.randn(1, 4, 9, 9)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki", precision="f16")
    reasons = {layer.name: layer.reason for layer in bundle.layers}
    assert "stays f32: it has a number of magnitude 1e+05" in reasons["1"]
    assert not any("f32" in reasons[name] for name in "02")
    with torch.no_grad():
        expected = model(x).numpy()
    result = bundle.load()(x.numpy())
    assert np.abs(result - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_recurrent_layers_keep_weights_in_halves(tmp_path: Path) -> None:
    """States and sums stay f32, so that long sequences are as exact as short ones."""
    torch.manual_seed(0)
    layer, x = nn.GRU(12, 40).eval(), torch.randn(200, 1, 12)
    bundle = niwaki.compile(layer, x, output=tmp_path / "net.niwaki", precision="f16")
    (recurrent,) = [one for one in bundle.layers if one.op.startswith("recurrent")]
    assert recurrent.element == "f16"
    assert "f32" not in recurrent.reason
    assert recurrent.packed_bytes < 2.2 * recurrent.weights
    results, last = bundle.load()(x.numpy())
    with torch.no_grad():
        expected, _ = layer(x)
    assert np.abs(results - expected.numpy()).max() < 1e-3
    assert np.array_equal(results[-1:], last)


@pytest.mark.parametrize(
    ("largest", "options", "told"),
    [
        (1e5, {}, "stays f32: it has a number of magnitude 1e+05"),
        (1, {"tolerance": 0.5}, "stays f32: with a tolerance recurrent layers do"),
    ],
)
def test_recurrent_layers_that_stay_wide(
    largest: float, options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    layer, x = nn.LSTM(12, 40).eval(), torch.randn(3, 1, 12)
    layer.weight_hh_l0.data[0, 0] = largest
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(layer, x, output=path, precision="f16", **options)
    (recurrent,) = [one for one in bundle.layers if one.op.startswith("recurrent")]
    assert recurrent.element == "f32"
    assert told in recurrent.reason


def test_small_numbers_are_kept(tmp_path: Path) -> None:
    """On hosts results below the smallest normal f16, 6.1e-5, are not zero."""
    model = nn.Conv2d(2, 3, 1, bias=False).eval()
    with torch.no_grad():
        model.weight.fill_(0.5)
    x = torch.full((1, 2, 4, 4), 1e-6)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki", precision="f16")
    # Subnormal numbers of f16 are 6e-8 apart.
    np.testing.assert_allclose(bundle.load()(x.numpy()), 1e-6, atol=6e-8)

"""Layers of f16 give PyTorch's results, up to the rounding of f16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from chosen import own_family
from torch import nn

import niwaki
from niwaki.passes import select_kernels

from .cases import Case, check
from .odd_layers import odd_layers, odd_patterns, odd_single_filters
from .pooled_layers import odd_pooled
from .random_layers import random_cases, random_linear, random_pool
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


def test_small_numbers_are_kept(tmp_path: Path) -> None:
    """On hosts results below the smallest normal f16, 6.1e-5, are not zero."""
    model = nn.Conv2d(2, 3, 1, bias=False).eval()
    with torch.no_grad():
        model.weight.fill_(0.5)
    x = torch.full((1, 2, 4, 4), 1e-6)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki", precision="f16")
    # Subnormal numbers of f16 are 6e-8 apart.
    np.testing.assert_allclose(bundle.load()(x.numpy()), 1e-6, atol=6e-8)

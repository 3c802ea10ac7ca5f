"""Layers computed by Winograd's algorithm have PyTorch's results, within the usual tolerance.

Rounding errors are about three times those of a direct convolution, far below that tolerance. What
is different is where NaN and infinity spread: to the whole tile.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import niwaki

from .cases import Case, check
from .random_layers import fill, tensor
from .winograd_layers import always, odd_winograd, pooled, random_case

TILINGS = pytest.mark.parametrize(
    ("outputs", "most_tiles", "together"), [(4, 64, 32), (4, 5, 8), (2, 64, 16), (2, 9, 8)]
)


@TILINGS
@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_layers(
    outputs: int,
    most_tiles: int,
    together: int,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    always(monkeypatch, outputs, most_tiles, together)
    rng = np.random.default_rng(outputs * most_tiles)
    cases = [*odd_winograd(outputs), *(random_case(rng, outputs) for _ in range(8))]
    compiled = check(cases, tmp_path, target)
    layers = compiled.bundle.manifest.layers
    assert {layer.kernel[:12] for layer in layers} == {f"winograd {outputs}x{outputs}"}
    assert sum("+ max" in layer.op for layer in layers) >= 2
    assert not any("is not fused" in layer.reason for layer in layers)


def test_strange_values_in_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN wins in all windows of its tiles, and in no others."""
    always(monkeypatch, 4, 64, 32)
    rng = np.random.default_rng(10)
    model = pooled(fill(nn.Conv2d(4, 8, 3, padding=1), "dense", rng), 2).eval()
    x = tensor(rng, 1, 4, 24, 24)
    path = tmp_path / "net.niwaki"
    niwaki.compile(model, x, output=path)
    network = niwaki.load(path)
    before = network(x.numpy())
    x[0, 2, 10, 9] = float("nan")
    after = network(x.numpy())
    # Windows of the tile of rows 8 to 11 and columns 8 to 11.
    touched = np.zeros((12, 12), bool)
    touched[4:6, 4:6] = True
    assert np.isnan(after[..., touched]).all()
    np.testing.assert_array_equal(after[..., ~touched], before[..., ~touched])


def test_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workgroups that run at the same time have scratch memory of their own."""
    always(monkeypatch, 4, 8, 8)
    rng = np.random.default_rng(7)
    layer = fill(nn.Conv2d(16, 64, 3, padding=1), "dense", rng)
    inputs = (tensor(rng, 2, 16, 40, 40),)
    compiled = check([Case("wide", layer, inputs)], tmp_path, threads=2)
    once = compiled([inputs])[0][0]
    for _ in range(20):
        np.testing.assert_array_equal(compiled([inputs])[0][0], once)


def test_deep_layers_are_as_exact_as_shallow_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always(monkeypatch, 4, 64, 32)
    rng = np.random.default_rng(8)
    layer = fill(nn.Conv2d(512, 32, 3, padding=1), "dense", rng)
    check([Case("512 channels", layer, (tensor(rng, 1, 512, 9, 9),))], tmp_path)


def test_what_is_not_finite_stays_in_its_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is gone with the next call, though memory is used again."""
    always(monkeypatch, 4, 64, 32)
    rng = np.random.default_rng(9)
    layer = fill(nn.Conv2d(4, 8, 3, padding=1), "dense", rng)
    x = tensor(rng, 1, 4, 24, 24)
    path = tmp_path / "net.niwaki"
    niwaki.compile(layer, x, output=path)
    network = niwaki.load(path)
    before = network(x.numpy())
    # Pixel (10, 9) is an input of the tiles of rows 8 to 11 and columns 8 to 11, and of no others.
    touched = np.zeros((24, 24), bool)
    touched[8:12, 8:12] = True
    for strange in (float("nan"), float("inf")):
        spoiled = x.clone()
        spoiled[0, 2, 10, 9] = strange
        after = network(spoiled.numpy())
        with torch.no_grad():
            expected = layer(spoiled).numpy()
        assert not np.isfinite(after[..., touched]).any()
        np.testing.assert_array_equal(after[..., ~touched], before[..., ~touched])
        assert np.isfinite(expected[..., ~touched]).all()
        np.testing.assert_array_equal(network(x.numpy()), before)

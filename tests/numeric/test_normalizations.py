"""Norms and softmax over the last dimensions have kernels, and give what exact ones would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Function
from torch.nn import functional

import niwaki

from .cases import check
from .normalizations import BetweenConvolutions, odd_normalizations, odd_planes


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_odd_sizes(target: str, tmp_path: Path) -> None:
    cases = odd_normalizations()
    compiled = check(cases, tmp_path, target)
    families = [run.family for run in compiled.bundle.manifest.dispatches]
    assert families.count("normalize") == len(cases)
    # What follows those over several dimensions, or of one, has another shape than their rows.
    assert len(families) == len(cases) + 5


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_odd_planes(target: str, tmp_path: Path) -> None:
    """Between convolutions nothing is copied into another layout."""
    cases = odd_planes()
    compiled = check(cases, tmp_path, target)
    families = [run.family for run in compiled.bundle.manifest.dispatches]
    assert families.count("normalize_planes") == len(cases)
    convolved = sum(isinstance(case.model, BetweenConvolutions) for case in cases)
    assert families.count("copy_rows") == 2 * convolved  # an input, and a result


@pytest.mark.parametrize("mean", [30.0, 1e4])
@pytest.mark.parametrize("channels", [5, 192, 1000])
def test_large_means(channels: int, mean: float, tmp_path: Path) -> None:
    """At least as exact as PyTorch."""
    x = torch.randn(17, channels, generator=torch.Generator().manual_seed(0)) + mean
    network = Function(lambda _, x: functional.layer_norm(x, [channels])).eval()
    bundle = niwaki.compile(network, x, output=tmp_path / "net.niwaki")
    exact = functional.layer_norm(x.double(), [channels]).numpy()
    ours = np.abs(bundle.load()(x.numpy()) - exact).max()
    assert ours <= max(1e-6, np.abs(network(x).numpy() - exact).max())


def test_what_is_no_number(tmp_path: Path) -> None:
    """A row of -inf, one with NaN and one with inf are NaN; others do not see them."""
    x = torch.randn(4, 20, generator=torch.Generator().manual_seed(0))
    x[1] = -torch.inf
    x[2, 3] = torch.nan
    x[3, 19] = torch.inf
    network = Function(lambda _, x: x.softmax(-1)).eval()
    result = niwaki.compile(network, x, output=tmp_path / "net.niwaki").load()(x.numpy())
    np.testing.assert_allclose(result, network(x).numpy(), atol=1e-7)

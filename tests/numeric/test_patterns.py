"""Layers with patterns have a kernel of their own, and PyTorch's results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chosen import own_family, widest

from niwaki.passes import select_kernels

from .cases import check
from .pattern_layers import LAYERS


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_layers(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    rng = np.random.default_rng(5)
    cases = [layer.case(name, rng) for name, layer in LAYERS.items()]
    compiled = check(cases, tmp_path, target)
    kernels = [layer.kernel.split()[0] for layer in compiled.bundle.manifest.layers]
    assert kernels == ["pattern_gemm"] * len(cases)


def test_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of the widest tile fit the stack of IREE's worker threads."""
    monkeypatch.setattr(select_kernels, "fastest", widest)
    rng = np.random.default_rng(6)
    case = LAYERS["many filters, 2 taps"].case("many filters, 2 taps", rng)
    check([case], tmp_path, threads=2)

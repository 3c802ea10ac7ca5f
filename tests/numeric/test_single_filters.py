"""Layers whose filters share nothing have a kernel of their own, and PyTorch's results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chosen import own_family, widest
from torch import nn

from niwaki.elements import F32
from niwaki.passes import select_kernels
from niwaki.passes.families import spmm
from niwaki.targets import get_target

from .cases import Case, check
from .odd_layers import odd_single_filters, thinned
from .pattern_layers import Fused, residual
from .random_layers import tensor


def layers() -> list[Case]:
    """Remainders of all kinds, and a tail with a residual."""
    rng = np.random.default_rng(15)
    image = tensor(rng, 3, 18, 19, 23)
    conv = thinned(nn.Conv2d(18, 18, 3, padding=1), rng)
    return [*odd_single_filters(), Case("residual", Fused(conv, residual), (image,))]


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
@pytest.mark.parametrize("cache", [64, 1024, 32 * 1024])
def test_layers(target: str, cache: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In as many parts as there are channels, in a few, and in one."""
    monkeypatch.setattr(spmm, "nearest_cache_bytes", lambda target: cache)
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    compiled = check(layers(), tmp_path, target)
    kernels = {layer.kernel.split()[0] for layer in compiled.bundle.manifest.layers}
    assert kernels == {"spmm"}


def test_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of many filters fit the stack of IREE's worker threads."""
    monkeypatch.setattr(select_kernels, "fastest", widest)
    rng = np.random.default_rng(16)
    conv = thinned(nn.Conv2d(200, 700, 3, padding=1), rng)
    case = Case("many filters", conv, (tensor(rng, 1, 200, 13, 17),))
    compiled = check([case], tmp_path, threads=2)
    (layer,) = compiled.bundle.manifest.layers
    family, tile, *_ = layer.kernel.split()
    height, vectors = map(int, tile.split("x"))
    assert (family, height * vectors * 4 * get_target("host").vector(F32).lanes) == (
        "spmm",
        64 * 1024,
    )

"""Kernels that do not store the rows that blocks of columns remove, against PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import niwaki
from niwaki.passes import select_kernels
from niwaki.targets import get_target

from .banded_layers import RECURRENT, in_bands, odd_banded, remove_rows
from .cases import Case, check

EXPANDS = pytest.mark.skipif(
    not get_target("host").expands, reason="the kernels need AVX-512, which this machine lacks"
)


@EXPANDS
def test_odd_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", in_bands)
    compiled = check(odd_banded(), tmp_path)
    banded = [layer for layer in compiled.bundle.layers if not layer.kernel.endswith("bands 1")]
    families = [layer.family for layer in banded]
    assert families.count("recurrence") == 2 * len(RECURRENT)
    assert families.count("matvec") >= 2


@EXPANDS
def test_what_lies_behind_a_band_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors hold the next band's weights besides: what comes of them must not be seen."""
    monkeypatch.setattr(select_kernels, "fastest", in_bands)
    layer = remove_rows(nn.Linear(64, 16), (16, 32, 4, 2), np.random.default_rng(0))
    weight = layer.get_parameter("weight").data
    weight[:, 32:][weight[:, 32:] != 0] = 1e30
    alive = ~(weight == 1e30).any(dim=1)
    assert 0 < alive.sum() < 16
    x = torch.ones(1, 64)
    check([Case("large", Finite(layer, alive), (x,))], tmp_path)


class Finite(nn.Module):
    """Results of the filters that a mask names."""

    def __init__(self, layer: nn.Module, shown: torch.Tensor) -> None:
        super().__init__()
        self.layer, self.shown = layer, shown

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(self.shown, self.layer(x), 0.0)


def test_removed_rows_are_not_stored(tmp_path: Path) -> None:
    """Of a recurrent layer beyond the second-level cache, and only where a target has the means."""
    layer = remove_rows(nn.GRU(8, 1024), (16, 64, 4, 2), np.random.default_rng(1))
    stored = {}
    for target in ("x86-64-v4", "x86-64-v3"):
        path = tmp_path / f"{target}.niwaki"
        bundle = niwaki.compile(layer, torch.zeros(1, 1, 8), output=path, target=target)
        (recurrent,) = [layer for layer in bundle.layers if layer.op.startswith("recurrent")]
        stored[target] = recurrent.packed_bytes / (4 * recurrent.kept)
    assert stored["x86-64-v4"] < 1.1
    assert stored["x86-64-v3"] > 1.9

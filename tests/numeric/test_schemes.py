"""Each scheme from PyTorch weights to results: pruned, detected, packed, run and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from chosen import own_family
from numpy.typing import NDArray
from torch import nn

from niwaki.passes import select_kernels
from niwaki.schemes import (
    block_column_row_mask,
    block_punched_mask,
    kernel_group_mask,
    n_m_mask,
    pattern_mask,
)

from .cases import Case, check

Masks = NDArray[np.bool_]
Weights = NDArray[np.float32]

CORNERS = [(4, 5, 7, 8), (3, 4, 6, 7), (1, 2, 4, 5), (0, 1, 3, 4)]


@dataclass(frozen=True)
class Pruned:
    """A layer, how it is pruned, and the scheme that must be found."""

    layer: Callable[[], nn.Module]
    size: tuple[int, ...]
    mask: Callable[[Weights], Masks]
    scheme: str

    def case(self) -> Case:
        torch.manual_seed(0)
        layer = self.layer()
        weight = layer.get_parameter("weight")
        filters, channels = weight.shape[:2]
        weights = weight.detach().numpy().reshape(filters, channels, -1)
        with torch.no_grad():
            weight *= torch.from_numpy(self.mask(weights)).reshape(weight.shape)
            weight /= weight.norm() / filters**0.5  # results of spread one
        model = nn.Sequential(layer, nn.ReLU())
        return Case(self.scheme, model, (torch.randn(2, *self.size),))


def conv(filters: int = 32, stride: int = 1, groups: int = 1) -> Callable[[], nn.Module]:
    return lambda: nn.Conv2d(16, filters, 3, stride, 1, groups=groups)


def with_stray(mask: Masks) -> Masks:
    """One more weight, in a kernel that keeps some."""
    mask[tuple(np.argwhere(~mask & mask.any(axis=2, keepdims=True))[17])] = True
    return mask


PRUNED = [
    Pruned(conv(), (16, 9, 11), lambda w: pattern_mask(w, CORNERS, 4), "pattern(4x4x1)"),
    Pruned(conv(), (16, 9, 11), lambda w: pattern_mask(w, CORNERS, 2, 4), "pattern(4x4x4)"),
    Pruned(conv(30), (16, 9, 11), lambda w: pattern_mask(w, CORNERS, 2, 8), "pattern(4x4x8)"),
    Pruned(
        conv(), (16, 9, 11), lambda w: with_stray(pattern_mask(w, CORNERS, 4)), "pattern(4x4x1)"
    ),
    Pruned(
        conv(24, 2, 2),
        (16, 9, 11),
        lambda w: pattern_mask(w, CORNERS, 2, 4, groups=2),
        "pattern(4x4x4)",
    ),
    Pruned(
        conv(),
        (16, 9, 11),
        lambda w: block_column_row_mask(w, 4, 8 / 7, 8, 36),
        "block_column_row(8x36)",
    ),
    Pruned(
        lambda: nn.Linear(96, 40),
        (96,),
        lambda w: block_column_row_mask(w, 4, 8 / 7, 8, 32),
        "block_column_row(8x32)",
    ),
    Pruned(conv(), (16, 9, 11), lambda w: n_m_mask(w, 1, 8), "n_m(1:8)"),
    Pruned(lambda: nn.Linear(96, 40), (96,), lambda w: n_m_mask(w, 1, 8), "n_m(1:8)"),
    Pruned(
        lambda: nn.Conv3d(8, 24, 3, 1, 1),
        (8, 3, 5, 7),
        lambda w: kernel_group_mask(w, 3, 8, 4),
        "block_punched(8x4)",
    ),
    Pruned(
        lambda: nn.Conv3d(8, 32, 3, 1, 1),
        (8, 3, 5, 7),
        lambda w: kernel_group_mask(w, 2, 8, 2, vanilla=True),
        "block_punched(8x2)",
    ),
    Pruned(conv(), (16, 9, 11), lambda w: block_punched_mask(w, 8, 8), "block_punched(8x1)"),
]


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_schemes(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a kernel of its own, also where the layer is so small that dense is faster."""
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    compiled = check([pruned.case() for pruned in PRUNED], tmp_path, target)
    layers = compiled.bundle.manifest.layers
    found = {int(layer.name.split(".")[1]): layer.scheme for layer in layers}
    assert found == dict(enumerate(pruned.scheme for pruned in PRUNED))

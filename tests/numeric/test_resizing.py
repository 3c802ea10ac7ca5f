"""Resizing to the nearest pixel gives PyTorch's results, by broadcasting where pixels repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import Function
from torch import Tensor, nn
from torch.nn import functional as F
from torch_mlir import ir

from niwaki.frontend import import_torch

from .cases import Case, check

WHOLE: list[dict[str, Any]] = [
    {"scale_factor": 2},
    {"scale_factor": 3.0, "recompute_scale_factor": True},
]
OTHER: list[dict[str, Any]] = [{"scale_factor": scale} for scale in (0.5, 1.2, 1.5, 2.2)]


def _resized(mode: str, options: dict[str, Any]) -> nn.Module:
    return Function(lambda self, x: F.interpolate(x, mode=mode, **options))


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_all_ranks(mode: str, tmp_path: Path) -> None:
    images: list[Tensor] = [torch.randn(2, 3, *(7, 4, 5)[:rank]) for rank in (1, 2, 3)]
    cases = [
        Case(f"{x.dim()} {options}", _resized(mode, options), (x,))
        for x in images
        for options in (
            *WHOLE, *OTHER,
            {"size": [2 * size for size in x.shape[2:]]},
            {"size": [size + 1 for size in x.shape[2:]]},
            {"scale_factor": (2, 1, 3)[: x.dim() - 2]},
        )
    ]  # fmt: skip
    check(cases, tmp_path)


@pytest.mark.parametrize("options", [*WHOLE, {"size": (10, 12)}])
def test_no_pixel_is_looked_up(options: dict[str, Any]) -> None:
    model = _resized("nearest", options)
    text = str(import_torch(model, torch.randn(1, 3, 5, 4), ir.Context()).module)
    assert "tensor.extract " not in text

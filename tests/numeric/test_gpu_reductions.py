"""Reductions of each dimension, and what reads their results, on Vulkan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_networks import Function

from .cases import Case, check

READERS: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "softmax": lambda x, dim: x.softmax(dim),
    "centred": lambda x, dim: x - x.mean(dim, keepdim=True),
    "normalised": lambda x, dim: x / x.norm(dim=dim, keepdim=True),
    "less the largest": lambda x, dim: x - x.amax(dim, keepdim=True),
    "sum of products": lambda x, dim: (x * x.roll(1, 2)).sum(dim, keepdim=True) * x,
}


@pytest.mark.requires_vulkan
def test_readers_of_reductions(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    cases = [
        Case(
            f"{name} over {dim} of {shape}",
            Function(lambda self, x, of=reader, dim=dim: of(x, dim)),
            (torch.randn(shape, generator=generator),),
        )
        for name, reader in READERS.items()
        for shape in ((3, 5, 7, 9), (2, 16, 32))
        for dim in range(len(shape))
    ]
    check(cases, tmp_path, target="vulkan")

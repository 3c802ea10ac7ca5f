"""Grouped convolutions beside each other and beside reshapes, which torch-mlir folds together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from .cases import Case, check
from .random_layers import CONVOLUTIONS, fill, tensor


def grouped(rank: int, filters: int = 8, groups: int = 2, padding: int = 0) -> nn.Module:
    """A layer of 8 channels with a kernel of 3."""
    layer = CONVOLUTIONS[rank - 1](8, filters, 3, groups=groups, padding=padding)
    return fill(layer, "unstructured", np.random.default_rng(rank))


class TwoReaders(nn.Module):
    """A grouped convolution whose result another one and an activation read."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.first, self.second = grouped(rank), grouped(rank, groups=4, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.first(x)
        return self.second(y) + y, torch.relu(y)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_neighbours(rank: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(rank)
    size = (9, 7, 8)[:rank]
    images = tensor(rng, 2, 8, *size)
    models: list[tuple[nn.Module, torch.Tensor]] = [
        (nn.Sequential(grouped(rank), grouped(rank, padding=1), grouped(rank)), images),
        (nn.Sequential(grouped(rank, padding=1), nn.ReLU(), grouped(rank, 16, 8)), images),
        (nn.Sequential(grouped(rank, 16, 4), nn.ChannelShuffle(4)), images),
        (nn.Sequential(grouped(rank), nn.Flatten()), images),
        (nn.Sequential(nn.Unflatten(1, (8, *size)), grouped(rank)), images.flatten(1)),
        (grouped(rank, padding=1), images[0]),
        (nn.Sequential(grouped(rank), grouped(rank)), images[0]),
        (TwoReaders(rank), images),
    ]
    cases = [Case(f"{number} of {rank}-D", model, (x,)) for number, (model, x) in enumerate(models)]
    compiled = check(cases, tmp_path)
    remarks = compiled.bundle.manifest.remarks
    assert not [remark for remark in remarks if remark.reason.startswith("left to IREE")]

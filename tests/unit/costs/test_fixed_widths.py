"""Layers whose filters cannot go one by one have no cost of that, and all others have."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from niwaki.costs.price import priced
from niwaki.layer_costs import Setting


class Attention(nn.Module):
    """Its projections are layers of several sizes under one name."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 16, batch_first=True)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.gru(x)
        result: Tensor = self.attention(y, y, y, need_weights=False)[0]
        return result


@pytest.mark.parametrize("scheme", ["filter", "channel"])
@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(nn.Conv2d(8, 8, 3, groups=4), nn.Conv2d(8, 4, 3)), (1, 8, 6, 6)),
        (Attention(), (1, 5, 8)),
    ],
)
def test_all_layers_have_an_answer(
    model: nn.Module, shape: tuple[int, ...], scheme: str, tmp_path: Path
) -> None:
    costs = tmp_path / "costs.sqlite"
    with priced(model.eval(), torch.randn(shape), target="arm64-android", costs=costs) as oracle:
        times = {name: oracle.seconds(name, Setting(scheme, 2)) for name in oracle.layers}
    assert math.inf in times.values()
    assert all(seconds > 0 for seconds in times.values())

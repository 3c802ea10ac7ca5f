"""Running a bundle takes no more memory than its weights and what two layers hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import run_time_memory
import torch
from small_networks import Function
from torch import nn

import niwaki


def test_peak_memory_at_run_time(tmp_path: Path) -> None:
    """Ten layers whose activations are ten times what is allowed besides them, all together."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(64, 64, 3, padding=1, bias=False) for _ in range(10)]
    model = nn.Sequential(*layers).eval()
    x = torch.randn(8, 64, 128, 128)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki")
    activation = x.numel() * x.element_size()
    assert max(layer.activation_bytes for layer in bundle.layers) == 2 * activation
    allowed = run_time_memory.limit(bundle)
    # So a copy of each activation, or of each call, would not go unnoticed.
    assert len(layers) * activation > allowed - run_time_memory.ALLOWANCE
    peak = run_time_memory.peak(bundle.path)
    assert activation < peak < allowed


def test_no_tensor_of_queries_and_keys(tmp_path: Path) -> None:
    """Scores of 16 heads and 1024 tokens are 64 MB, however attention is written."""
    tokens, heads = 1024, 16

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.packed(x).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return (torch.softmax(q @ k.mT * 0.5, -1) @ v).transpose(1, 2).flatten(2)

    model = Function(forward, packed=nn.Linear(64, 3 * 64))
    bundle = niwaki.compile(model, torch.randn(1, tokens, 64), output=tmp_path / "net.niwaki")
    assert run_time_memory.peak(bundle.path) < 16_000_000 < 4 * heads * tokens**2

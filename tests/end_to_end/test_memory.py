"""Running a bundle takes no more memory than its weights and what two layers hold."""

from __future__ import annotations

from pathlib import Path

import run_time_memory
import torch
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

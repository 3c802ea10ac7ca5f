"""Each weights are looked at once, however many passes ask and layers share them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import niwaki
from niwaki import schemes
from niwaki.passes import detections
from niwaki.passes.pipelines import UNROLL, compile_pipeline
from niwaki.schemes import CostModel, Scheme
from niwaki.targets import get_target

STEPS = 25


class Steps(nn.Module):
    """A recurrent layer, which may be unrolled."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(16, 24)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gru(x)[0]


class Chain(nn.Module):
    """Convolutions whose filters can be sorted, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Conv2d(16, 16, 3, padding=1) for _ in range(4)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[Any]:
    """Counts which zeros detection has looked at."""
    calls: Counter[Any] = Counter()

    def counted(nonzero: np.ndarray, groups: int, hint: Scheme | None, model: CostModel) -> Any:
        calls[nonzero.shape, nonzero.tobytes(), groups, hint, model] += 1
        return schemes.detect(nonzero, groups, hint=hint, model=model)

    monkeypatch.setattr(detections, "detect", counted)
    return calls


@torch.no_grad()
def interleaved(module: nn.Module) -> nn.Module:
    """Every other filter keeps some first weights, those between the others: each layer its own."""
    matrices = [each for each in module.parameters() if each.dim() > 1]
    for number, weights in enumerate(matrices):
        cut = weights.shape[1] // 2 + number
        weights[::2, :cut] = 0
        weights[1::2, cut:] = 0
    return module.eval()


def test_each_weights_are_looked_at_once(asked: Counter[Any], tmp_path: Path) -> None:
    niwaki.compile(interleaved(Chain()), torch.rand(1, 16, 8, 8), output=tmp_path / "net.niwaki")
    assert set(asked.values()) == {1}
    # All of them as they are, and in the orders that were tried.
    shapes = Counter(key[0] for key in asked)
    assert shapes[16, 16, 9] >= 4


def test_steps_of_a_recurrent_layer_are_looked_at_once(asked: Counter[Any], tmp_path: Path) -> None:
    bundle = niwaki.compile(
        interleaved(Steps()),
        torch.rand(STEPS, 1, 16),
        target="vulkan",
        pipeline=compile_pipeline(get_target("vulkan")).replace(UNROLL, f"{UNROLL}{{always=true}}"),
        output=tmp_path / "net.niwaki",
    )
    assert len(bundle.layers) >= STEPS
    assert set(asked.values()) == {1}
    # Weights of inputs and of states, as they are and sorted, and zeros: the first state is none.
    assert len(asked) <= 5

"""float64: inputs, outputs, casts and constants inside a network, to its last digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn

import niwaki
from niwaki.dialects import context
from niwaki.errors import NiwakiError
from niwaki.frontend import import_torch


class Doubles(nn.Module):
    """What float32 would get wrong, one result each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(2, 3, 3), nn.Linear(6, 4).double()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        wide, layer = x.double(), self.conv(x)
        return (
            ((wide + 1e-12) - wide).float(),
            (layer.double() * 1.000000001).float(),
            self.linear(wide),
            torch.softmax(wide, 1) * 0.1,
            wide.sum((2, 3)).exp(),
            nn.functional.avg_pool2d(wide, 2),
            (16777217 + wide.round()).long(),
            wide > 0.1,
        )


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_inside(target: str, tmp_path: Path) -> None:
    model, x = Doubles().eval(), torch.randn(1, 2, 6, 6)
    bundle = niwaki.compile(model, x, target=target, output=tmp_path / "n.niwaki")
    for found, wanted in zip(bundle.load()(x.numpy()), model(x), strict=True):
        expected = wanted.detach().numpy()
        assert found.dtype == expected.dtype
        digits = 1e-14 if found.dtype == np.float64 else 1e-6
        np.testing.assert_allclose(found, expected, rtol=digits, atol=digits)


def test_a_whole_network(tmp_path: Path) -> None:
    layers = (nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4))
    model, x = nn.Sequential(*layers).double().eval(), torch.randn(1, 2, 6, 6).double()
    network = niwaki.compile(model, x, output=tmp_path / "n.niwaki").load()
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(network(x.numpy()), expected, rtol=1e-13, atol=1e-13)


def test_powers_of_negative_numbers(tmp_path: Path) -> None:
    """Of doubles, and of what PyTorch makes doubles of."""
    x = torch.tensor([-3.1, -2, -1.7, 0, 1.3, -0.0, -2, -1e3, -2, 1], dtype=torch.double)
    y = torch.tensor([0, 1, 2, 3.3, 1.9, 3, -3, 7, 0.5, 1e9], dtype=torch.double)
    model = Function(lambda _, x, y: (x**y, x.float() ** y, x.float() ** y.long(), (-2.0) ** y))
    network = niwaki.compile(model, (x, y), output=tmp_path / "n.niwaki").load()
    for found, wanted in zip(network(x.numpy(), y.numpy()), model(x, y), strict=True):
        digits = 1e-13 if found.dtype == np.float64 else 1e-6
        np.testing.assert_allclose(found, wanted.numpy(), rtol=digits)


def remainder_by_seven(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda x: function(x, 7.1)


REMAINDERS = [torch.fmod, torch.remainder, torch.floor_divide]


@pytest.mark.parametrize(
    "function",
    [torch.sin, torch.erf, torch.tanh, torch.atan, *map(remainder_by_seven, REMAINDERS)],
)
def test_functions_that_are_missing(function: Callable[..., torch.Tensor]) -> None:
    model = nn.Sequential(nn.ReLU(), Function(lambda self, x: function(x.double())))
    with context() as ctx, pytest.raises(NiwakiError, match="of float64 is not supported"):
        import_torch(model.eval(), torch.randn(3), ctx)

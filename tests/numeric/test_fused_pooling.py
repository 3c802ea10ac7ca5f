"""Poolings fused into convolutions give PyTorch's results, those that are not fused as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from .cases import Case, Compiled, check, compare, plain_references
from .pooled_layers import always, odd_pooled, random_pooled
from .random_layers import Generator, fill, random_cases, tensor

# Switching oneDNN off says so.
pytestmark = pytest.mark.filterwarnings("ignore:TF32 acceleration:UserWarning")


def families(compiled: Compiled) -> list[str]:
    """The families of the kernels of a call, without copies."""
    runs = compiled.bundle.manifest.dispatches
    return sorted({run.family for run in runs} - {"copy_rows"})


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
@pytest.mark.parametrize(("seed", "threads"), [(None, 2), (1, 1)])
def test_odd_layers(
    target: str, seed: int | None, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    always(monkeypatch, seed)
    compiled = check(odd_pooled(), tmp_path, target, threads)
    assert families(compiled) == ["gather_pool"]


@pytest.mark.parametrize(("target", "seed"), [("host", 0), ("x86-64-v3", 1)])
def test_random_layers(
    target: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any of the kernel's tiles."""
    always(monkeypatch, seed)
    compiled = check(random_cases(random_pooled, seed, 24), tmp_path, target)
    assert "gather_pool" in families(compiled)
    reasons = [layer.reason for layer in compiled.bundle.manifest.layers]
    apart = [reason for reason in reasons if "is not fused" in reason]
    assert all("not a gather_gemm or lane_gemm or winograd" in reason for reason in apart), apart


STRANGE = [(np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf), (np.nan, np.inf, 3.0), (3e38,)]


def test_strange_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN wins in its windows and in no others, also where it is in a column that is dropped."""
    always(monkeypatch)
    rng = np.random.default_rng(22)
    cases = []
    for size in ((9, 13), (8, 16)):
        for tail in (nn.Identity(), nn.ReLU(), nn.SiLU()):
            conv = fill(nn.Conv2d(3, 9, 3, padding=1), "dense", rng)
            model = nn.Sequential(conv, tail, nn.MaxPool2d(2))
            cases.append(Case(f"{size} {tail}", model, (tensor(rng, 2, 3, *size),)))
    compiled = Compiled(cases, tmp_path)
    assert families(compiled) == ["gather_pool"]
    for values in STRANGE:
        inputs = [(with_some(x, values, rng),) for case in cases for x in case.inputs]
        wanted = plain_references(cases, inputs)
        compare(cases, compiled(inputs), wanted, f" with {values}")


def with_some(x: torch.Tensor, values: Sequence[float], rng: Generator) -> torch.Tensor:
    """`x` with these values in twelve places."""
    flat = x.flatten().clone()
    places = rng.choice(flat.numel(), 12, replace=False)
    flat[torch.from_numpy(places)] = torch.tensor([values[i % len(values)] for i in range(12)])
    return flat.reshape(x.shape)


class TwoReaders(nn.Module):
    """What the pooling reads is a result, too."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.relu(self.conv(x))
        return nn.functional.max_pool2d(y, 2), y.sum(1)


class Residual(nn.Module):
    """A sum before the pooling."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.max_pool2d(torch.relu(self.conv(x) + x), 2)


def test_not_fused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says why."""
    always(monkeypatch)
    rng = np.random.default_rng(23)
    x = tensor(rng, 1, 16, 11, 37)

    def conv(scheme: str = "dense") -> nn.Module:
        return fill(nn.Conv2d(16, 16, 3, padding=1), scheme, rng)

    networks = {
        "the convolution has 2 readers": TwoReaders(conv()),
        "the convolution also adds or multiplies 1 tensor of its size": Residual(conv()),
        "2 elementwise ops behind it would come along": nn.Sequential(
            conv(), nn.MaxPool2d(2), nn.ReLU()
        ),
        "windows must have 2 columns, and 1 or 2 of all else": nn.Sequential(
            conv(), nn.MaxPool2d(3)
        ),
        "the kernel is a pattern_gemm, not a gather_gemm or lane_gemm or winograd": nn.Sequential(
            conv("patterns for 1"), nn.MaxPool2d(2)
        ),
        "": nn.Sequential(conv(), nn.MaxPool2d(3, 2, 1)),
    }
    cases = [Case(why, model, (x,)) for why, model in networks.items()]
    compiled = check(cases, tmp_path)
    assert "gather_pool" not in families(compiled)
    reasons = [layer.reason for layer in compiled.bundle.manifest.layers]
    for why, reason in zip(networks, reasons, strict=True):
        told = reason.rpartition(" is not fused: ")[2]
        assert told == why if why else "fused" not in reason


def test_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The convolution's record tells what its kernel computes, and what that moves."""
    always(monkeypatch)
    rng = np.random.default_rng(24)
    conv = fill(nn.Conv2d(4, 8, 3, stride=2, padding=1), "dense", rng)
    case = Case("pooled", nn.Sequential(conv, nn.MaxPool2d(2)), (tensor(rng, 1, 4, 20, 36),))
    (layer,) = check([case], tmp_path).bundle.manifest.layers
    assert layer.op == "conv 3x3/2 + max 2x2"
    assert layer.kernel.startswith("gather_pool 8x")
    assert layer.positions == 10 * 18
    assert layer.activation_bytes == 4 * (4 * 20 * 36 + 8 * 5 * 9)
    assert layer.estimated_ns > 0

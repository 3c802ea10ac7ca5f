"""PyTorch's norms over computed statistics, of values far from 0, and of zeros."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from small_networks import Function
from torch import nn
from torch.nn import functional as F

import niwaki

NORMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "layer norm": lambda x: F.layer_norm(x, [9, 40]),
    "group norm": lambda x: F.group_norm(x, 2),
    "group norm of rows": lambda x: F.group_norm(x[:, :, 0, 0], 2),
    "instance norm": lambda x: F.instance_norm(x),
    "instance norm of a series": lambda x: F.instance_norm(x[:, :, 0]),
    "instance norm of volumes": lambda x: F.instance_norm(x.unflatten(3, (5, 8))),
    "batch norm": lambda x: F.batch_norm(x, None, None, training=True),
    "variance": lambda x: x.var((1, 2)),
    "deviation": lambda x: x.std(3, correction=0),
    "rms norm": lambda x: F.rms_norm(x - 1e4, [40]),
    "rms norm of little": lambda x: F.rms_norm((x - 1e4) * 1e-4, [40]),
    "rms norm of zeros": lambda x: F.rms_norm(x * 0, [9, 40]),
    "rms norm with eps": lambda x: F.rms_norm(x - 1e4, [40], eps=0.1),
}


def every(_: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    return [norm(x) for norm in NORMS.values()]


def test_far_from_zero(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 4, 9, 40) + 1e4
    path = tmp_path / "norms.niwaki"
    niwaki.compile(Function(every).eval(), x, output=path)
    for (name, norm), result in zip(NORMS.items(), niwaki.load(path)(x.numpy()), strict=True):
        # Its epsilon depends on the type.
        exact = norm(x) if name.startswith("rms") else norm(x.double())
        error = np.abs(result - exact.numpy()).max() / max(exact.abs().max().item(), 1)
        assert error < 2e-6, f"{name}: {error}"

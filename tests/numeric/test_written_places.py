"""Ops that write into a diagonal or another place of a tensor give PyTorch's results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from small_networks import Function
from torch import Tensor

from .cases import Case, check


def _filled(x: Tensor, number: Any) -> Tensor:
    return x.clone().fill_diagonal_(number)


def _diagonal_copied(x: Tensor, y: Tensor) -> Tensor:
    result = x.clone()
    result.diagonal(1, 0, 2).copy_(y)
    return result


def test_diagonals(tmp_path: Path) -> None:
    x = torch.randn(3, 5, 4)
    functions = {
        "fill": lambda x: _filled(x[0], 1.0),
        "fill a tall matrix": lambda x: _filled(x.reshape(10, 6), 1.0),
        "fill and wrap": lambda x: x.reshape(20, 3).clone().fill_diagonal_(2.0, wrap=True),
        "fill a cube": lambda x: _filled(x[:3, :3, :3], -1.0),
        "fill booleans": lambda x: _filled(x[0] > 0, True),
        "fill bytes": lambda x: _filled((x[0] * 9).to(torch.int8), 5),
        "where": lambda x: torch.where(x[0] > 0, _filled(x[0], 7.0), x[0]),
        "copy": lambda x: _diagonal_copied(x, x[1, :, :3]),
        "scatter": lambda x: x.diagonal_scatter(x[:, 0], 0, 2, 1),
    }
    cases = [
        Case(name, Function(lambda self, x, of=function: of(x)), (x,))
        for name, function in functions.items()
    ]
    check(cases, tmp_path)

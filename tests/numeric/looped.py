"""Loops of PyTorch with layers in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop

Tensor: TypeAlias = torch.Tensor


class Looped(nn.Module):
    """Loops of several kinds; `n` is the number of turns, and nobody knows it before."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.inner = nn.Linear(7, 7), nn.Linear(7, 7, bias=False)
        self.conv, self.norm = nn.Conv1d(3, 3, 3, padding=1), nn.BatchNorm1d(3)
        self.register_buffer("shift", torch.randn(7))
        self.register_buffer("scale", torch.randn(1), persistent=False)

    def forward(self, n: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        zero = torch.zeros((), dtype=torch.int64)
        around = x * 2

        def counted(step: Callable[[Tensor], Tensor], begin: Tensor) -> Any:
            return while_loop(lambda i, h: i < n, lambda i, h: (i + 1, step(h)), (zero, begin))

        def layers(h: Tensor) -> Tensor:
            return torch.tanh(self.linear(h)) * self.scale + self.shift + around

        def nested(h: Tensor) -> Tensor:
            _, result = while_loop(
                lambda j, g: j < 2, lambda j, g: (j + 1, torch.sin(self.inner(g))), (zero, h)
            )
            return result

        def planes(h: Tensor) -> Tensor:
            return self.norm(self.conv(h.unsqueeze(0))).squeeze(0)

        (grown,) = while_loop(lambda h: h.sum() < n, lambda h: (h * 1.5 + 1,), (x.abs(),))
        return (*counted(layers, x), counted(nested, x)[1], counted(planes, x)[1], grown)


class Scanned(nn.Module):
    """A cell that is no GRU, forth and back, and one that only carries."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(12, 7)

    def forward(self, h: Tensor, xs: Tensor) -> list[Tensor]:
        def step(state: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
            new = torch.tanh(self.cell(torch.cat([state, x], -1)))
            return new, new[:, :2] * x[:, :2]

        def add(state: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
            return state + x.sum(), x.amax(0)

        return [
            *scan(step, h, xs, dim=1), *scan(step, h, xs, dim=1, reverse=True),
            *scan(add, h, xs, dim=1),
        ]  # fmt: skip

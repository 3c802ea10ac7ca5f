"""Recurrent layers with every option that PyTorch has, and cells in loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import Tensor, nn
from torch.nn.utils import prune

from .cases import Case
from .random_layers import tensor

RNG = np.random.default_rng(21)


def options() -> Iterator[Case]:
    """Layers as modules have them, all of their results."""
    torch.manual_seed(21)
    two_ways: dict[str, Any] = {"num_layers": 2, "bidirectional": True}
    yield _case("GRU, two ways", nn.GRU(4, 7, batch_first=True, **two_ways), (3, 17, 4), (4, 3, 7))
    yield _case("LSTM", nn.LSTM(5, 48, bias=False, **two_ways), (2, 5, 5), *[(4, 5, 48)] * 2)
    yield _case("one step", nn.GRU(5, 48), (1, 4, 5))
    yield _case("no sequences", nn.LSTM(3, 4), (2, 0, 3))
    yield _case("no states", nn.LSTM(3, 7, bidirectional=True), (197, 1, 3))
    yield _case("one sequence", nn.RNN(3, 1), (17, 3))
    yield _case("rectified", nn.RNN(3, 7, nonlinearity="relu"), (17, 2, 3), (1, 2, 7))
    yield _case("projections", nn.LSTM(3, 7, proj_size=2), (2, 2, 3), (1, 2, 2), (1, 2, 7))
    masked = nn.GRU(3, 8, 2)
    prune.random_unstructured(masked, "weight_hh_l1", 0.5)
    yield _case("masked", masked, (4, 1, 3))
    # An op that tanh is part of: IREE has none of f64.
    double = nn.RNN(3, 4, nonlinearity="relu").double()
    yield Case("f64", _Results(double), (tensor(RNG, 2, 3, 3).double(),))
    half = Function(lambda self, x: self.layer(x.half())[0].float(), layer=nn.LSTM(3, 8).half())
    yield Case("f16", half, (tensor(RNG, 5, 2, 3),), tolerance=2e-3)
    twice = Function(lambda self, x: self.layer(self.layer(x)[0])[0], layer=nn.GRU(6, 6))
    yield Case("called twice", twice, (tensor(RNG, 3, 2, 6),))


def loops() -> Iterator[Case]:
    """Cells that are called step by step; what depends on what is another one in each."""

    def stack(self: Any, x: Tensor, h: Tensor) -> Any:
        state: Any = None
        states = []
        for t in range(x.shape[0]):
            h = self.cell(x[t], h)
            state = self.upper(h, state)
            states.append(state[0])
        return torch.stack(states, 1), state[1]

    def feed_back(self: Any, x: Tensor, h: Tensor) -> Tensor:
        for _ in range(3):
            h = self.cell(torch.tanh(h[:, :3]) + x[0], h)
        return h

    def backwards(self: Any, x: Tensor, h: Tensor) -> Tensor:
        y = torch.zeros(*x.shape[:2], h.shape[1])
        for t in reversed(range(x.shape[0])):
            h = self.cell(x[t], h)
            y[t] = h
        return y

    def show(self: Any, x: Tensor, h: Tensor) -> Tensor:
        cells = []
        state = (h, h)
        for t in range(x.shape[0]):
            state = self.cell(x[t], state)
            cells.append(state[1])
        return torch.stack(cells)

    x, h = tensor(RNG, 5, 2, 3), tensor(RNG, 2, 6)
    upper = nn.LSTMCell(6, 4)
    yield Case("stack", Function(stack, cell=nn.GRUCell(3, 6), upper=upper), (x, h))
    yield Case("feeds back", Function(feed_back, cell=nn.GRUCell(3, 6, bias=False)), (x, h))
    yield Case("backwards", Function(backwards, cell=nn.RNNCell(3, 6)), (x, h))
    yield Case("shows cells", Function(show, cell=nn.LSTMCell(3, 6)), (x, h))
    once = nn.RNNCell(3, 6, nonlinearity="relu")
    yield Case("once", Function(lambda self, x, h: self.cell(x[0], h), cell=once), (x, h))


def _case(name: str, layer: nn.Module, *shapes: tuple[int, ...]) -> Case:
    return Case(name, _Results(layer), tuple(tensor(RNG, *shape) for shape in shapes))


class _Results(nn.Module):
    """A layer with its results in a row, called with states or without."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, *states: Tensor) -> Any:
        begin: Any = states if len(states) == 2 else states[0] if states else None
        y, last = self.layer(x, begin)
        return (y, *last) if isinstance(last, tuple) else (y, last)

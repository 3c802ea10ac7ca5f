"""Recurrent layers of odd sizes, for their kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from .cases import Case
from .random_layers import Generator, keep

# Steps, sequences, inputs, units and scheme of what each kind of layer is tried with: single steps
# and several, less than a vector of units, lower blocks at the end, more sequences than share a
# weight.
SIZES = (
    (1, 1, 5, 7, "dense"),
    (2, 5, 3, 40, "blocks of 8"),
    (3, 2, 9, 1, "dense"),
    (1, 6, 4, 150, "unstructured"),
)


def odd_recurrent() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(16)
    found = []
    for kind in (nn.GRU, nn.LSTM, nn.RNN):
        for steps, batch, inputs, units, scheme in SIZES:
            layer = pruned(kind(inputs, units, bidirectional=steps == 2), scheme, rng)
            x = torch.from_numpy(rng.standard_normal((steps, batch, inputs)).astype(np.float32))
            name = f"{kind.__name__}, {steps} x {batch} x {inputs}, {units} units, {scheme}"
            found.append(Case(name, Results(layer), (x,)))
    return found


def pruned(layer: nn.Module, scheme: str, rng: Generator) -> nn.Module:
    """Random weights, of which `scheme` keeps some."""
    for parameter in layer.parameters():
        values = rng.standard_normal(tuple(parameter.shape)) / 2
        if parameter.dim() == 2:
            values *= keep((*parameter.shape, 1), scheme, rng)[:, :, 0]
        parameter.data = torch.from_numpy(values.astype(np.float32))
    return layer.eval()


class Results(nn.Module):
    """All results of a recurrent layer, the states it ends with added up."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, last = self.layer(x)
        ends: Any = last if isinstance(last, tuple) else (last,)
        return y + sum(end.sum(0) for end in ends).repeat(1, y.shape[2] // ends[0].shape[2])

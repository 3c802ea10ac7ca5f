"""Layers whose blocks of columns remove rows, for kernels that do not store them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from chosen import Layers
from torch import nn

from niwaki.passes.choice import Choice
from niwaki.schemes import block_column_row_mask

from .cases import Case
from .random_layers import Generator, tensor
from .recurrent_layers import Results

# Rows, inputs and filters of linear layers; filters and columns of a block, rates of its columns
# and rows. Rows alone, lower blocks at the end, less than a vector, rows of the whole matrix, more
# rows than share a weight.
LINEAR = (
    (1, 300, 130, 16, 40, 4, 1.5),
    (3, 128, 37, 16, 64, 2, 2),
    (6, 640, 77, 8, 64, 8, 2),
    (2, 512, 30, 4, 64, 8, 2),
    (1, 64, 40, 16, 64, 4, 2),
)
# Steps, sequences, inputs, units; blocks and rates.
RECURRENT = (
    (1, 1, 5, 144, 16, 48, 6, 1.5),
    (3, 2, 9, 40, 8, 16, 3, 1.3),
    (2, 5, 3, 72, 16, 32, 2, 2),
)


def in_bands(layers: Layers) -> list[Choice]:
    """Candidates with bands where there are any, of all heights, else the fastest one."""
    chosen, turns = [], itertools.count()
    for _, found in layers:
        own = [one for one in found if getattr(one.kernel.tile, "bands", 1) > 1]
        own = own[next(turns) % len(own) :] if own else [min(found, key=lambda one: one.seconds)]
        chosen.append(Choice(own[0]))
    return chosen


def odd_banded() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(5)
    cases = []
    for rows, inputs, filters, *block in LINEAR:
        layer = nn.Sequential(remove_rows(nn.Linear(inputs, filters), block, rng), nn.ReLU())
        name = f"linear, {rows} x {inputs} to {filters}, {block}"
        cases.append(Case(name, layer, (tensor(rng, rows, inputs),)))
    for kind in (nn.GRU, nn.LSTM):
        for steps, batch, inputs, units, *block in RECURRENT:
            recurrent = Results(remove_rows(kind(inputs, units), block, rng))
            name = f"{kind.__name__}, {steps} x {batch} x {inputs}, {units} units, {block}"
            cases.append(Case(name, recurrent, (tensor(rng, steps, batch, inputs),)))
    return cases


def remove_rows(layer: nn.Module, block: Sequence[float], rng: Generator) -> nn.Module:
    """Random weights, of which each block of filters x columns keeps some columns and rows."""
    filters, columns, column_rate, row_rate = block
    for parameter in layer.parameters():
        values = rng.standard_normal(tuple(parameter.shape))
        if parameter.dim() == 2:
            values *= block_column_row_mask(
                values[..., None], column_rate, row_rate, int(filters), int(columns)
            )[..., 0]
        scale = np.sqrt(max(1.0, np.count_nonzero(values) / len(values)))
        parameter.data = torch.from_numpy((values / scale).astype(np.float32))
    return layer.eval()

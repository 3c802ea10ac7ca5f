"""Recurrent layers on Vulkan: a workgroup takes all steps of a sequence, or each step is alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from niwaki.schemes import block_column_row_mask

from .cases import Case, check
from .random_layers import Generator, tensor
from .recurrent_layers import pruned

# Kind, steps, sequences, units, how weights are pruned, and whether it begins with states. Both
# directions where there are two steps; sizes with whole blocks and without, with more filters than
# threads and less.
LAYERS: tuple[tuple[Any, int, int, int, str, bool], ...] = (
    (nn.GRU, 7, 3, 17, "dense", True),
    (nn.GRU, 2, 1, 130, "10x", False),
    (nn.GRU, 7, 1, 3, "unstructured", False),
    (nn.GRU, 2, 3, 48, "blocks of 8", True),
    (nn.LSTM, 7, 3, 130, "10x", True),
    (nn.LSTM, 2, 1, 17, "unstructured", True),
    (nn.LSTM, 2, 3, 1, "dense", True),
    (nn.LSTM, 7, 1, 64, "dense", False),
    (nn.RNN, 7, 3, 3, "dense", False),
    (nn.RNN, 2, 1, 130, "unstructured", True),
    (nn.RNN, 2, 3, 17, "all zero", True),
    (nn.RNN, 7, 1, 200, "blocks of 8", False),
)
# One step, which is no kernel's of ours for all steps.
SINGLE = (nn.GRU, 1, 3, 17, "dense", True)


class Results(nn.Module):
    """All results of a layer, called with states or without."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, *states: Tensor) -> Any:
        begin: Any = states if len(states) == 2 else states[0] if states else None
        y, last = self.layer(x, begin)
        # States that others read, too.
        sums = tuple(state * 2 for state in states)
        return (y, *(last if isinstance(last, tuple) else (last,)), *sums)


def layers() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(23)
    return [case(rng, *layer) for layer in (*LAYERS, SINGLE)]


def case(
    rng: Generator, kind: Any, steps: int, batch: int, units: int, scheme: str, begins: bool
) -> Case:
    layer = pruned(kind(5, units, bidirectional=steps == 2), "dense", rng)
    if scheme == "10x":
        for name, weight in layer.named_parameters():
            if name.startswith("weight_hh"):
                rows = weight.detach().numpy()[:, :, None]
                weight.data *= torch.from_numpy(block_column_row_mask(rows, 8, 1.5, 8, 40)[:, :, 0])
    elif scheme != "dense":
        layer = pruned(layer, scheme, rng)
    states = [tensor(rng, 1 + (steps == 2), batch, units)] * begins * (1 + (kind is nn.LSTM))
    name = f"{kind.__name__}, {steps} x {batch}, {units} units, {scheme}"
    return Case(name, Results(layer), (tensor(rng, steps, batch, 5), *states))


@pytest.mark.requires_vulkan
@pytest.mark.parametrize(("target", "tolerance"), [("vulkan", 1e-5), ("vulkan-f16", 2e-2)])
def test_layers(target: str, tolerance: float, tmp_path: Path) -> None:
    cases = [replace(case, tolerance=tolerance) for case in layers()]
    precision = "f16" if target == "vulkan-f16" else "f32"
    compiled = check(cases, tmp_path, target, precision=precision)
    found = [layer for layer in compiled.bundle.layers if layer.op.startswith("recurrent")]
    assert {layer.family for layer in found} == {"thread_recurrence"}
    assert len(found) == sum(1 + (steps == 2) for _, steps, *_ in LAYERS)
    assert {layer.element for layer in found} == {precision}
    schemes = {re.split(r"\W", layer.scheme)[0] for layer in found}
    print(schemes, [layer.kernel for layer in found])

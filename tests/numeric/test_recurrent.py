"""Recurrent layers against PyTorch: every kind, single steps and several, both directions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import niwaki
from niwaki.runtime.bundle import Bundle

from .cases import check
from .recurrent_layers import odd_recurrent


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_odd_layers(target: str, tmp_path: Path) -> None:
    compiled = check(odd_recurrent(), tmp_path, target=target)
    layers = [layer for layer in compiled.bundle.layers if layer.op.startswith("recurrent")]
    assert len(layers) == 15
    assert {layer.family for layer in layers} == {"recurrence"}


def test_steps_cost_no_code(tmp_path: Path) -> None:
    """Neither kernels nor rows of the report become more where there are more steps.

    A host's own numbers may choose another kernel where products have more rows.
    """
    layer = nn.LSTM(5, 24, 2).eval()

    def compiled(steps: int) -> Bundle:
        path = tmp_path / f"{steps}.niwaki"
        return niwaki.compile(layer, torch.zeros(steps, 1, 5), target="x86-64-v4", output=path)

    few, many = compiled(3), compiled(300)
    assert len(few.layers) == len(many.layers) == 4
    assert len(many.manifest.dispatches) == len(few.manifest.dispatches)
    assert len(many.module) < 1.05 * len(few.module)
    assert [layer.packed_bytes for layer in few.layers] == [
        layer.packed_bytes for layer in many.layers
    ]

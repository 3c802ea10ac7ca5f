"""Recurrent layers on Vulkan: a workgroup takes all steps of a sequence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import niwaki

from .cases import check, difference
from .workgroup_recurrent import LAYERS, for_workgroups


@pytest.mark.requires_vulkan
@pytest.mark.parametrize(("target", "tolerance"), [("vulkan", 1e-5), ("vulkan-f16", 2e-2)])
def test_layers(target: str, tolerance: float, tmp_path: Path) -> None:
    cases = [replace(case, tolerance=tolerance) for case in for_workgroups()]
    precision = "f16" if target == "vulkan-f16" else "f32"
    compiled = check(cases, tmp_path, target, precision=precision)
    found = [layer for layer in compiled.bundle.layers if layer.op.startswith("recurrent")]
    assert len(found) == sum(1 + (steps == 2) for _, steps, *_ in LAYERS)
    assert {(layer.family, layer.element) for layer in found} == {("thread_recurrence", precision)}
    schemes = {layer.scheme.partition("(")[0] for layer in found}
    assert schemes >= {"block_column_row", "block_punched", "dense", "unstructured"}


@pytest.mark.requires_vulkan
def test_states_stay_what_they_were(tmp_path: Path) -> None:
    """The network's own, those of its caller, and those that two layers share."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.other = nn.GRU(3, 9), nn.GRU(3, 9)
            self.start = nn.Parameter(torch.randn(1, 2, 9))

        def forward(self, x: torch.Tensor, h: torch.Tensor) -> list[torch.Tensor]:
            ways = ((self.gru, h), (self.gru, self.start), (self.other, h))
            return [part for layer, begin in ways for part in layer(x, begin)]

    torch.manual_seed(0)
    model, x, h = Network().eval(), torch.randn(5, 2, 3), torch.randn(1, 2, 9)
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(model, (x, h), target="vulkan", output=path)
    assert sum(layer.family == "thread_recurrence" for layer in bundle.layers) == 3
    network, given = bundle.load(), h.numpy().copy()
    with torch.no_grad():
        expected = [part.numpy() for part in model(x, h)]
    for _ in range(3):
        found = network(x.numpy(), given)
        assert [difference(a, b) for a, b in zip(found, expected, strict=True)] == [""] * 6
    assert np.array_equal(given, h.numpy())


@pytest.mark.requires_vulkan
def test_more_steps_are_no_more_dispatches(tmp_path: Path) -> None:
    layer = nn.LSTM(5, 24).eval()
    few, many = (
        niwaki.compile(
            layer, torch.zeros(steps, 1, 5), target="vulkan", output=tmp_path / f"{steps}.niwaki"
        )
        for steps in (3, 300)
    )
    assert len(few.manifest.dispatches) == len(many.manifest.dispatches)
    # The products of inputs have another kernel where there are more rows.
    assert len(many.module) < 1.5 * len(few.module)

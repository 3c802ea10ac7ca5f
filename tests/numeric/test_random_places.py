"""Networks of random steps, each on a random one of two devices, give what PyTorch gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import niwaki
from niwaki.placing import together
from niwaki.placing.timeline import Unit
from niwaki.signature import flatten
from niwaki.targets import best_cpu_target, get_target

from .cases import TOLERANCE, Branches
from .random_graphs import random_graph

OTHER = "x86-64-v3"
best = best_cpu_target()


def prune_filters(model: torch.nn.Module, draw: random.Random) -> None:
    """Make some filters zero, with their biases or without, so that channels go across cuts."""
    layers = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.Linear)
    with torch.no_grad():
        for layer in model.modules():
            if not isinstance(layer, layers):
                continue
            for number in range(len(layer.weight)):
                if draw.random() < 0.4:
                    layer.weight[number] = 0
                if layer.bias is not None and draw.random() < 0.5:
                    layer.bias[number] = 0


@pytest.mark.skipif(
    best is None or best.architecture != get_target(OTHER).architecture,
    reason=f"needs a CPU that runs code for {OTHER}",
)
@pytest.mark.parametrize("seed", range(2))
def test_random_places(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)

    def drawn(units: Sequence[Unit], *_: object) -> dict[int, int]:
        return {number: draw.randrange(2) for number in range(len(units))}

    monkeypatch.setattr(together, "fixed_units", drawn)
    cases = [random_graph(seed, number) for number in range(3)]
    model, inputs = Branches(cases).eval(), tuple(x for case in cases for x in case.inputs)
    prune_filters(model, draw)
    path = tmp_path / "net.niwaki"
    niwaki.compile(model, inputs, target=f"host+{OTHER}", place="auto", output=path, golden=False)
    network = niwaki.load(path, device="together")
    assert len(network.part.manifest.plan.stages) > 3
    with torch.no_grad():
        wanted, _ = flatten(model(*inputs))
    given, _ = flatten(network(*[x.numpy() for x in inputs]))
    for one, other in zip(given, wanted, strict=True):
        most = max(1.0, float(other.abs().max()))
        np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=TOLERANCE * most)

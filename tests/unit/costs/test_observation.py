"""Modelled cycles of kernels become seconds of layers, as many as there were cycles."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import niwaki
from niwaki.costs.observation import CALL, Observation, Took, emulated, least, observed
from niwaki.targets import get_target


def test_cycles_are_given_to_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two layers share a kernel, and so its cycles; code of no kernel is the call's."""
    torch.manual_seed(0)
    same = [nn.Conv2d(16, 16, 3, padding=1) for _ in range(3)]
    model = nn.Sequential(same[0], nn.ReLU(), same[1], nn.ReLU(), same[2], nn.ReLU()).eval()
    bundle = niwaki.compile(
        model, torch.zeros(1, 16, 12, 12), target="arm64-android", output=tmp_path / "net.niwaki"
    )
    names = list(dict.fromkeys(run.kernel for run in bundle.manifest.dispatches))
    assert len(names) < len(bundle.manifest.dispatches)
    kernels = [SimpleNamespace(name=name, steady=1000.0 * n) for n, name in enumerate(names, 1)]
    counted = SimpleNamespace(kernels=[*kernels, SimpleNamespace(name="", steady=77.0)])
    monkeypatch.setattr("niwaki.costs.observation.model_cycles", lambda bundle, core: counted)
    seen = emulated(bundle)
    clock = get_target("arm64-android").cpu_core.clock
    assert seen.others[CALL] == pytest.approx(77 / clock)
    assert seen.seconds == pytest.approx((77 + sum(one.steady for one in kernels)) / clock)
    assert set(seen.layers) == {"0", "2", "4"}
    estimates = {layer.name: layer.estimated_ns for layer in bundle.manifest.layers}
    for name, took in seen.layers.items():
        assert took.estimated == pytest.approx(1e-9 * estimates[name])
        assert took.seconds > 0


def test_attention_is_no_layer(tmp_path: Path) -> None:
    """It has the name of its products, and an estimate that is not theirs."""
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True).eval()
    bundle = niwaki.compile(
        model, torch.zeros(1, 16, 32), target="x86-64-v3", output=tmp_path / "net.niwaki"
    )
    records = [layer for layer in bundle.manifest.layers if layer.name == "self_attn"]
    assert {record.family for record in records} > {"attention"}
    seen = observed(bundle, [1e-6] * len(bundle.manifest.dispatches), 0.0)
    weighted = [record.estimated_ns for record in records if record.family != "attention"]
    assert seen.layers["self_attn"].estimated == pytest.approx(1e-9 * sum(weighted))
    assert seen.layers["self_attn"].seconds == pytest.approx(1e-6 * len(weighted))


def test_all_layers_with_weights_are_seen(tmp_path: Path) -> None:
    """Strided depthwise ones too, whose kernels have a name of their own."""
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 16, 3, padding=1),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
        nn.Conv2d(16, 16, 3, stride=2, padding=1, groups=16),
        nn.Conv2d(16, 32, 1),
        nn.Flatten(),
        nn.Linear(32 * 36, 10),
    ]
    bundle = niwaki.compile(
        nn.Sequential(*layers).eval(),
        torch.zeros(1, 3, 12, 12),
        target="x86-64-v3",
        output=tmp_path / "net.niwaki",
    )
    seen = observed(bundle, [1e-6] * len(bundle.manifest.dispatches), 0.0)
    assert set(seen.layers) == {"0", "1", "2", "3", "5"}
    assert all(took.seconds == pytest.approx(1e-6) for took in seen.layers.values())


def test_each_layer_is_as_in_its_fastest_turn() -> None:
    turns = [
        Observation({"a": Took("k", 1.0, 3.0), "b": Took("k", 1.0, 2.0)}, {CALL: 0.5, "pool": 0.1}),
        Observation({"a": Took("k", 1.0, 2.5), "b": Took("k", 1.0, 2.2)}, {CALL: 0.4, "pool": 0.2}),
    ]
    best = least(turns)
    assert {name: took.seconds for name, took in best.layers.items()} == {"a": 2.5, "b": 2.0}
    assert best.others == {CALL: 0.4, "pool": 0.1}
    assert least(turns[:1]) == turns[0]

"""Trials show each layer in each setting, and are measured once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import torch
from small_networks import ResNet

from niwaki.costs.observation import TURNS, Observation, Took
from niwaki.costs.price import priced
from niwaki.costs.store import Store
from niwaki.costs.trials import is_narrow, trials
from niwaki.layer_costs import LayerForm, Setting
from niwaki.runtime.bundle import Bundle

FORMS = {
    "conv1": LayerForm(16, 3, 9),
    "depthwise": LayerForm(16, 1, 9, groups=16),
    "conv2": LayerForm(64, 16, 9),
    "conv3": LayerForm(64, 64, 1),
}
SCHEMES = ("block_punched", "pattern")


def test_each_layer_is_seen_in_each_setting_that_it_can_have() -> None:
    found = [settings for trial, settings in trials(FORMS, SCHEMES).items() if not is_narrow(trial)]
    seen = {name: {str(one[name]) for one in found if name in one} for name in FORMS}
    blocks = {"block_punched 3x", "block_punched 9x"}
    assert seen["depthwise"] == set()
    assert seen["conv3"] == blocks  # a pattern needs taps
    assert seen["conv2"] == blocks | {"pattern 3x", "pattern 9x"}
    assert {} in found  # the dense network


def test_narrow_trials_narrow_all_layers() -> None:
    narrow = [settings for trial, settings in trials(FORMS, SCHEMES).items() if is_narrow(trial)]
    assert narrow
    for settings in narrow:
        widths = {name: (one.filters, one.channels) for name, one in settings.items()}
        assert widths == {
            "conv1": (10, 2), "depthwise": (10, 1), "conv2": (40, 10), "conv3": (40, 40),
        }  # fmt: skip


def test_observations_come_back(tmp_path: Path) -> None:
    seen = Observation({"conv1": Took("spmm", 1e-4, 2e-4)}, {"": 1e-5, "conv1": 3e-6})
    for machine in ("one", "another"):
        with closing(Store(tmp_path / "costs.sqlite", "host f32", machine)) as store:
            assert store.observations("net") == {}
            store.note_observation("net", "dense", seen)
            assert store.observations("net") == {"dense": seen}
            assert store.observations("other net") == {}


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what no kernel of a layer takes is added to each network."""
    measured = []

    def twice_as_long(bundle: Bundle) -> Observation:
        measured.append(bundle)
        layers = {
            layer.name: Took(layer.family, 1e-9 * layer.estimated_ns, 2e-9 * layer.estimated_ns)
            for layer in bundle.manifest.layers
            if layer.estimated_ns
        }
        return Observation(layers, {"": 5e-6})

    monkeypatch.setattr("niwaki.costs.price.on_host", twice_as_long)
    model, example, path = ResNet().eval(), torch.zeros(1, 3, 16, 16), tmp_path / "costs.sqlite"
    settings: Mapping[str, Setting] = {"layer1.0.conv2": Setting("block_punched", 2)}
    with priced(model, example, schemes=["block_punched"], costs=path) as oracle:
        first, count = oracle.network(settings), len(measured)
    assert count == TURNS * len(oracle.trials)
    with priced(model, example, schemes=["block_punched"], costs=path) as oracle:
        assert oracle.network(settings) == first
    assert len(measured) == count
    with priced(model, example, source="estimate", costs=path) as plain:
        assert first == pytest.approx(2 * plain.network(settings) + 5e-6, rel=1e-3)

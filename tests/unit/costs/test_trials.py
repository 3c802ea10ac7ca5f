"""Trials show each layer in each setting, and are measured once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_networks import ResNet

from niwaki.costs.observation import TURNS, Observation, Took
from niwaki.costs.price import priced
from niwaki.costs.store import Store
from niwaki.costs.trials import fits, is_narrow, trials
from niwaki.errors import NiwakiError
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


def test_narrow_trials_leave_dense_what_is_too_narrow_for_a_setting() -> None:
    """Of two channels a pattern of 9x, 8 of 9 taps and more, keeps no weight."""
    forms = {"conv1": LayerForm(16, 3, 9), "conv2": LayerForm(24, 16, 9)}
    for trial, settings in trials(forms, ["pattern"]).items():
        for name, setting in settings.items():
            form = forms[name]
            left = replace(
                form,
                filters=setting.filters or form.filters,
                channels=setting.channels or form.channels,
            )
            assert fits(setting, left), (trial, name)


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


class Killed(Exception):
    """A pricing that ends in the middle."""


def test_a_pricing_that_is_killed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured before is in the file, in the second turn as well."""
    model, example = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)).eval(), torch.zeros(1, 3, 8, 8)
    path = tmp_path / "costs.sqlite"
    measured: list[Bundle] = []
    deaths = [2, 8]

    def observer(bundle: Bundle) -> Observation:
        if deaths and len(measured) == deaths[0]:
            deaths.pop(0)
            raise Killed
        measured.append(bundle)
        return Observation({"0": Took("gemm", 1e-4, 1e-4)}, {"": 1e-3 * len(measured)})

    monkeypatch.setattr("niwaki.costs.price.on_host", observer)
    for _ in range(2):
        with pytest.raises(Killed), priced(model, example, schemes=["filter"], costs=path):
            pass
    with priced(model, example, schemes=["filter"], costs=path) as oracle:
        count = len(oracle.trials)
        assert deaths == []
        assert len(measured) == TURNS * count
        # The first turn is the faster one by this clock.
        first = {trial: one.others[""] for trial, one in oracle.observations.items()}
    assert [*first.values()] == pytest.approx([1e-3 * number for number in range(1, count + 1)])


def test_networks_are_priced_side_by_side(tmp_path: Path) -> None:
    """Each in a context of its own, whichever was opened last, or closed first."""
    path, x = tmp_path / "costs.sqlite", torch.zeros(1, 3, 16, 16)
    models = [torch.nn.Sequential(torch.nn.Conv2d(3, width, 3)).eval() for width in (8, 16)]
    with ExitStack() as last:
        with ExitStack() as first:
            oracles = [
                stack.enter_context(priced(model, x, source="estimate", costs=path))
                for stack, model in zip((first, last), models, strict=True)
            ]
            for number, oracle in enumerate(oracles):
                assert oracle.seconds("0", Setting("block_punched", 2, filters=8)) > 0
                bundle = oracle.subject.compiled({}, tmp_path / f"{number}.niwaki")
                assert [layer.name for layer in bundle.layers] == ["0"]
        assert oracles[1].seconds("0", Setting("block_punched", 3, filters=8)) > 0
        assert oracles[1].network({"0": Setting("filter", 4)}) > 0
        oracles[1].subject.compiled({"0": Setting("filter", 2)}, tmp_path / "2.niwaki")
    with pytest.raises(NiwakiError, match=r"^costs were asked for behind `with priced"):
        oracles[1].seconds("0", Setting("block_punched", 5))
    with pytest.raises(NiwakiError, match=r"^costs were asked for behind `with priced"):
        oracles[1].network({})

"""Costs of layers are those that the compiler estimates when it compiles the pruned network."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small_networks import ResNet
from torch import nn

import niwaki
from niwaki.costs.oracle import Oracle
from niwaki.costs.price import priced
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.pruning import Pruner, PruningConfig
from niwaki.runtime.bundle import Bundle

EXAMPLE = torch.zeros(1, 32, 12, 12)


class Chain(nn.Module):
    """Convolutions that are large enough for schemes to matter, one of them depthwise."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(32, 64, 3, padding=1)
        self.second = nn.Conv2d(64, 96, 3, padding=1)
        self.depthwise = nn.Conv2d(96, 96, 3, padding=1, groups=96)
        self.third = nn.Conv2d(96, 40, 1)
        self.fc = nn.Linear(40, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(self.first(x).relu()).relu()
        y = self.third(self.depthwise(y).relu()).relu()
        return self.fc(y.mean((2, 3)))


@pytest.fixture(scope="module")
def chain() -> nn.Module:
    torch.manual_seed(0)
    return Chain().eval()


@pytest.fixture(scope="module")
def oracle(chain: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    path = tmp_path_factory.mktemp("costs") / "costs.sqlite"
    with priced(chain, EXAMPLE, source="estimate", costs=path) as oracle:
        yield oracle


def test_layers_have_their_forms(oracle: Oracle) -> None:
    assert list(oracle.layers) == ["first", "second", "depthwise", "third", "fc"]
    second = oracle.layers["second"]
    assert (second.filters, second.channels, second.taps, second.positions) == (96, 64, 9, 144)
    assert [name for name, form in oracle.layers.items() if form.is_depthwise] == ["depthwise"]


@pytest.mark.parametrize(
    ("scheme", "rate"),
    [("dense", 1), ("block_punched", 4), ("unstructured", 6), ("pattern", 8)],
)
def test_costs_are_estimates_of_the_compiled_network(
    oracle: Oracle, chain: nn.Module, tmp_path: Path, scheme: str, rate: float
) -> None:
    torch.manual_seed(1)
    pruned = Chain().eval()
    if scheme != "dense":
        config = PruningConfig(scheme, rate, include=["second"])
        niwaki_prune(pruned, config)
    bundle = niwaki.compile(pruned, EXAMPLE, output=tmp_path / "net.niwaki")
    (record,) = (layer for layer in bundle.manifest.layers if layer.name == "second")
    told = oracle.seconds("second", Setting(scheme, rate))
    # Which weights are kept differs, and with them a little how evenly.
    assert told == pytest.approx(1e-9 * record.estimated_ns, rel=0.05)


def niwaki_prune(model: nn.Module, config: PruningConfig) -> None:
    pruner = Pruner(model, config, "magnitude")
    pruner.before_training(0, 0)
    pruner.finish()


def test_odd_widths_cost_what_they_run(oracle: Oracle, tmp_path: Path) -> None:
    torch.manual_seed(2)
    narrow = Chain()
    narrow.first, narrow.second = nn.Conv2d(32, 33, 3, padding=1), nn.Conv2d(33, 96, 3, padding=1)
    bundle = niwaki.compile(narrow.eval(), EXAMPLE, output=tmp_path / "net.niwaki")
    records = {layer.name: 1e-9 * layer.estimated_ns for layer in bundle.manifest.layers}
    first = oracle.seconds("first", Setting(filters=33))
    second = oracle.seconds("second", Setting(channels=33))
    assert first == pytest.approx(records["first"], rel=0.01)
    assert second == pytest.approx(records["second"], rel=0.01)


def test_filters_that_are_pruned_are_no_longer_there(oracle: Oracle) -> None:
    half = oracle.seconds("first", Setting("filter", 2))
    assert half == oracle.seconds("first", Setting(filters=32))


def test_rates_between_two_are_interpolated(oracle: Oracle) -> None:
    times = [oracle.seconds("second", Setting("block_punched", rate)) for rate in (4, 4.4, 5)]
    assert times[0] > times[1] > times[2]
    # Linear in the share of weights that is kept.
    share = (1 / 4 - 1 / 4.4) / (1 / 4 - 1 / 5)
    assert times[1] == pytest.approx(times[0] + share * (times[2] - times[0]))


def test_impossible_settings_take_for_ever(oracle: Oracle) -> None:
    assert math.isinf(oracle.seconds("third", Setting("pattern", 4)))  # its kernels have one tap
    assert math.isinf(oracle.seconds("fc", Setting("block_punched", 1000)))


def test_what_a_network_has_not_is_refused(oracle: Oracle) -> None:
    with pytest.raises(NiwakiError, match=r"no layer 'conv9': first, second, depthwise, third, fc"):
        oracle.seconds("conv9", Setting())
    with pytest.raises(NiwakiError, match="unknown pruning scheme 'blocks'"):
        oracle.seconds("first", Setting("blocks", 4))
    with pytest.raises(NiwakiError, match="has 64 filters of 32 channels, and cannot have 65 of"):
        oracle.seconds("first", Setting(filters=65))


def test_a_network_takes_what_its_layers_do(oracle: Oracle) -> None:
    settings = {"second": Setting("block_punched", 4), "third": Setting("unstructured", 3)}
    wanted = sum(oracle.seconds(name, settings.get(name, Setting())) for name in oracle.layers)
    assert oracle.network(settings) == pytest.approx(wanted)


def test_removed_filters_make_their_readers_narrower(oracle: Oracle) -> None:
    told = oracle.network({"first": Setting("filter", 2)})
    alone = oracle.network({}) - oracle.seconds("first", Setting())
    alone += oracle.seconds("first", Setting(filters=32))
    saved = oracle.seconds("second", Setting()) - oracle.seconds("second", Setting(channels=32))
    assert told == pytest.approx(alone - saved, rel=0.01)


def test_answers_are_kept(
    oracle: Oracle, chain: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = oracle.seconds("second", Setting("pattern", 8))
    monkeypatch.setattr("niwaki.costs.layer_times.estimate", None)
    with priced(chain, EXAMPLE, source="estimate", costs=oracle.store.path) as again:
        assert again.seconds("second", Setting("pattern", 8)) == known


def test_costs_of_a_phone_and_in_f16(tmp_path: Path) -> None:
    path, phone = tmp_path / "costs.sqlite", "arm64-android"
    with priced(ResNet().eval(), torch.zeros(1, 3, 16, 16), target=phone, costs=path) as f32:
        wide = f32.network({})
    with priced(
        ResNet().eval(), torch.zeros(1, 3, 16, 16), target=phone, precision="f16", costs=path
    ) as f16:
        assert f16.network({}) < wide


@pytest.fixture(scope="module")
def bundle(chain: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return niwaki.compile(chain, EXAMPLE, output=tmp_path_factory.mktemp("bundle") / "net.niwaki")


def test_times_of_a_device_correct_estimates(
    oracle: Oracle, chain: nn.Module, bundle: Bundle, tmp_path: Path
) -> None:
    estimates = {layer.name: 1e-9 * layer.estimated_ns for layer in bundle.manifest.layers}
    families = {layer.name: layer.family for layer in bundle.manifest.layers}
    runs = [
        {"layer": run.layer, "kernel": run.kernel, "family": run.family, "seconds": seconds}
        for run in bundle.manifest.dispatches
        for seconds in [3 * estimates[run.layer] if run.family == families.get(run.layer) else 1e-5]
    ]
    times = tmp_path / "times.json"
    times.write_text(json.dumps({"runs": runs, "total": 1.0, "other": 2e-5}))
    brought = {bundle.path: times}
    with priced(chain, EXAMPLE, times=brought, costs=tmp_path / "costs.sqlite") as corrected:
        for name in corrected.layers:
            for setting in (Setting(), Setting("block_punched", 4)):
                told, plain = (each.seconds(name, setting) for each in (corrected, oracle))
                assert told == pytest.approx(3 * plain, rel=0.01), name
        others = sum(run["seconds"] == 1e-5 for run in runs)
        assert sum(corrected.others.values()) == pytest.approx(2e-5 + 1e-5 * others)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "expected what niwaki bench --layers --json prints"),
        ('{"runs": [], "other": 0}', "has times of other kernels than"),
    ],
)
def test_times_of_something_else_are_refused(
    chain: nn.Module, bundle: Bundle, tmp_path: Path, text: str, told: str
) -> None:
    times = tmp_path / "times.json"
    times.write_text(text)
    with (
        pytest.raises(NiwakiError, match=told),
        priced(chain, EXAMPLE, times={bundle.path: times}, costs=tmp_path / "costs.sqlite"),
    ):
        pass


def test_times_of_another_network_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    runs = [
        {"layer": run.layer, "kernel": run.kernel, "seconds": 1e-5}
        for run in bundle.manifest.dispatches
    ]
    times = tmp_path / "times.json"
    times.write_text(json.dumps({"runs": runs, "other": 0}))
    with (
        pytest.raises(NiwakiError, match="has none of the network's layers"),
        priced(
            nn.Conv2d(3, 8, 3).eval(),
            torch.zeros(1, 3, 9, 9),
            times={bundle.path: times},
            costs=tmp_path / "costs.sqlite",
        ),
    ):
        pass


@pytest.mark.parametrize(
    ("target", "source", "told"),
    [
        ("vulkan", None, "'vulkan' has no costs: kernels for GPUs have no estimates"),
        ("arm64", "measure", "'arm64' has no costs by 'measure', which is for this machine"),
        ("host", "emulate", "'host' has no costs by 'emulate', which is for arm64 targets"),
        ("host", "guess", "unknown source of costs 'guess': choose one of estimate, measure"),
    ],
)
def test_targets_without_costs_are_refused(target: str, source: str | None, told: str) -> None:
    with (
        pytest.raises(NiwakiError, match=told),
        priced(nn.Conv2d(3, 8, 3).eval(), torch.zeros(1, 3, 9, 9), target=target, source=source),
    ):
        pass


def test_a_network_without_layers_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(NiwakiError, match="no layers with weights to price"),
        priced(nn.ReLU().eval(), torch.zeros(1, 4), source="estimate", costs=tmp_path / "c.sqlite"),
    ):
        pass


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "costs.sqlite"
    path.write_text("these are no costs, and far too few bytes for pages of a database" * 99)
    with (
        pytest.raises(NiwakiError, match=r"costs\.sqlite .*: delete it, or name another with"),
        priced(nn.Conv2d(3, 8, 3).eval(), torch.zeros(1, 3, 9, 9), source="estimate", costs=path),
    ):
        pass

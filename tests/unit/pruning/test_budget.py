"""Rates of layers that come out of one threshold, for what weights, FLOPs or seconds cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from unit.pruning.tiny_task import loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import LayerRule, PruningConfig, find_layers, load_config
from niwaki.pruning.costs import layer_flops, layer_seconds, read_times

HIDDEN = ("2", "6")
# Multiply-adds of a weight: the second of these layers sees an image of half the size.
POSITIONS = {"2": 144, "6": 36}


def pruned(
    model: nn.Module, scheme: str, rate: float, budget: str, method: str = "magnitude", **more: Any
) -> nn.Module:
    config = PruningConfig(scheme, rate, budget=budget, **more)
    return niwaki.prune(model, config=config, method=method, example=torch.zeros(1, 1, 12, 12))


def kept(model: nn.Module) -> dict[str, int]:
    return {name: int(model.get_parameter(f"{name}.weight").count_nonzero()) for name in HIDDEN}


def random_network(seed: int) -> nn.Module:
    """Layers of unequal strength."""
    model = network(seed % 2**31)
    with torch.no_grad():
        for name in HIDDEN:
            model.get_parameter(f"{name}.weight").mul_(float(torch.rand(())) + 0.2)
    return model


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31), budget=st.sampled_from(["weights", "flops"]))
def test_what_stays_is_worth_most_for_its_cost(seed: int, budget: str) -> None:
    """The one threshold of the problem's solution, where weights go one by one."""
    model = random_network(seed)
    result = pruned(model, "unstructured", 2, budget)
    stays, goes = [], []
    for name in HIDDEN:
        weight = model.get_parameter(f"{name}.weight").detach()
        energy = weight.double().square().flatten()
        rest = torch.stack([energy[energy >= e].sum() for e in energy]).view_as(weight)
        worth = weight.double().square() / rest / (POSITIONS[name] if budget == "flops" else 1)
        mask = result.get_parameter(f"{name}.weight") != 0
        if mask.float().mean() > 1 / 8 + 0.01:  # else the layer is at its largest rate
            stays.append(float(worth[mask].min()))
        goes.append(float(worth[~mask].max()))
    assert max(goes) <= min(stays) * 1.001 or len(stays) < len(HIDDEN)


@pytest.mark.parametrize(
    "scheme",
    ["unstructured", "block_punched(filters=4)", "pattern", "pattern(filters=4)", "filter",
     "kernel_group(filters=4, channels=2)", "block_column_row(columns=24)", "crossbar(columns=8)"],
)  # fmt: skip
@pytest.mark.parametrize("budget", ["weights", "flops", "latency"])
def test_the_whole_falls_by_the_rate(scheme: str, budget: str) -> None:
    every: dict[str, Mapping[str, float]] = {
        "weights": {"2": 1, "6": 1}, "flops": POSITIONS, "latency": {"2": 4 / 1152, "6": 3 / 2304},
    }  # fmt: skip
    costs = every[budget]
    model = random_network(3)
    result = pruned(model, scheme, 4, budget, times={"2": 4.0, "6": 3.0})
    before, after = (
        sum(costs[name] * count for name, count in kept(each).items()) for each in (model, result)
    )
    coarse = scheme in ("filter", "crossbar(columns=8)", "block_column_row(columns=24)")
    assert before / after == pytest.approx(4, rel=0.25 if coarse else 0.05)


def test_dear_layers_give_more() -> None:
    by_weights = kept(pruned(network(), "unstructured", 4, "weights"))
    by_flops = kept(pruned(network(), "unstructured", 4, "flops"))
    by_time = kept(pruned(network(), "unstructured", 4, "latency", times={"2": 1e-6, "6": 1.0}))
    assert by_flops["2"] < by_weights["2"] < by_time["2"]
    assert by_flops["6"] > by_weights["6"]
    assert by_time["6"] == pytest.approx(2304 / 4, abs=2), "all time is spent in this layer"


def test_no_layer_gives_more_than_four_times_the_rate() -> None:
    model = network()
    with torch.no_grad():
        # One filter has nearly all the energy, so that little of the others' is worth anything.
        model.get_parameter("6.weight")[1:].mul_(1e-3)
    result = kept(pruned(model, "unstructured", 3, "weights"))
    assert result["6"] == 2304 // 12
    assert sum(result.values()) == pytest.approx((1152 + 2304) / 3, abs=2)


@settings(max_examples=20)
@given(factor=st.floats(1e-3, 1e3))
def test_the_scale_of_a_layer_means_nothing(factor: float) -> None:
    model = network()
    expected = kept(pruned(model, "unstructured", 3, "weights"))
    with torch.no_grad():
        model.get_parameter("6.weight").mul_(factor)
    found = kept(pruned(model, "unstructured", 3, "weights"))
    assert found["6"] == pytest.approx(expected["6"], abs=2)


def test_layers_of_zeros_go_first() -> None:
    model = network()
    with torch.no_grad():
        model.get_parameter("6.weight").zero_()
    result = pruned(model, "block_punched(filters=4)", 2, "weights")
    assert kept(result)["2"] == 1152


def test_layers_with_rates_of_their_own_add_to_the_budget() -> None:
    config = PruningConfig("unstructured", 4, [LayerRule(["2"], rate=2)], budget="weights")
    result = kept(niwaki.prune(network(), config=config, method="magnitude"))
    assert sum(result.values()) == pytest.approx(1152 / 2 + 2304 / 4, rel=0.01)


@pytest.mark.parametrize(
    ("method", "scheme"),
    [("reweighted", "block_punched(filters=4)"), ("admm", "block_punched(filters=4)"),
     ("gradual", "pattern"), ("halving", "pattern")],
)  # fmt: skip
def test_methods_spend_the_budget(method: str, scheme: str) -> None:
    torch.manual_seed(0)
    config = PruningConfig(scheme, 4, budget="flops")
    options: dict[str, Any] = {"config": config, "epochs": 2, "progress": False}
    result = kept(niwaki.prune(network(), loader(64), method=method, **options))
    spent = sum(POSITIONS[name] * count for name, count in result.items())
    assert (144 * 1152 + 36 * 2304) / spent == pytest.approx(4, rel=0.1)


def test_first_batch_is_an_example_and_changes_no_random_numbers(tmp_path: Path) -> None:
    config = PruningConfig("pattern", 4, budget="flops")
    options: dict[str, Any] = {
        "config": config, "method": "gradual", "epochs": 2, "progress": False,
    }  # fmt: skip
    results = []
    for example in (None, torch.zeros(1, 1, 12, 12)):
        torch.manual_seed(4)
        path = tmp_path / f"{example is None}.ckpt"
        results.append(
            niwaki.prune(network(), loader(64), example=example, checkpoint=path, **options)
        )
    # The rates of the checkpoint stay, whatever the weights are now.
    again = niwaki.prune(network(7), loader(64), checkpoint=tmp_path / "True.ckpt", **options)
    for other in (results[1], again):
        for name, value in results[0].state_dict().items():
            assert torch.equal(value, other.state_dict()[name])


def test_flops_of_all_kinds_of_layers() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3, stride=2, groups=2)
            self.fc = nn.Linear(8, 8)
            self.gru = nn.GRU(8, 5, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            rows = self.conv(x).flatten(2).transpose(1, 2)
            output: Tensor = self.gru(self.fc(self.fc(rows)))[0]
            return output

    model = Network().train()
    flops = layer_flops(model, find_layers(model), torch.zeros(3, 4, 9, 11))
    positions = 3 * 4 * 5
    assert flops == {
        "conv": 2 * positions * 8 * 2 * 9,
        "fc": 2 * 2 * positions * 64,
        "gru.weight_ih_l0": 2 * positions * 15 * 8,
        "gru.weight_hh_l0": 2 * positions * 15 * 5,
    }
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_seconds_of_recurrent_weights_are_the_modules() -> None:
    layers = find_layers(nn.Sequential(nn.Linear(4, 4), nn.GRU(8, 8)))
    assert layer_seconds(layers, {"0": 1.0, "1": 6.0}) == {
        "0": 1.0, "1.weight_ih_l0": 3.0, "1.weight_hh_l0": 3.0,
    }  # fmt: skip


def test_times_are_what_bench_prints(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    runs = [{"layer": "2", "kernel": "k", "family": "f", "seconds": s} for s in (1e-4, 2e-4)]
    path.write_text(json.dumps({"runs": runs, "total": 3e-4, "other": 0, "calls": 5, "threads": 1}))
    assert read_times(path) == pytest.approx({"2": 3e-4})
    path.write_text('{"2": 4.0, "6": 3.0}')
    config = tmp_path / "pruning.yaml"
    config.write_text("scheme: unstructured\nrate: 4\nbudget: latency\ntimes: times.json\n")
    by_file = niwaki.prune(network(), config=load_config(config), method="magnitude")
    by_hand = pruned(network(), "unstructured", 4, "latency", times={"2": 4.0, "6": 3.0})
    assert kept(by_file) == kept(by_hand)
    config.write_text("times: 7")
    with pytest.raises(NiwakiError, match=r"times is a file, or seconds of each layer, not 7$"):
        load_config(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "no JSON: "), ("7", 'expected {"layer": seconds}, or'), ('{"2": "x"}', "expected {"),
     ('{"runs": [{"seconds": 1}]}', "expected {")],
)  # fmt: skip
def test_files_without_times(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "times.json"
    path.write_text(text)
    with pytest.raises(NiwakiError, match=f"^{path}: {message}"):
        read_times(path)
    with pytest.raises(NiwakiError, match=r"none\.json: cannot be read: No such file"):
        read_times(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (PruningConfig(budget="time"), "^unknown budget 'time': choose one of layer, weights, fl"),
        (PruningConfig(budget="latency"), "^the budget latency needs times: seconds of each layer"),
        (
            PruningConfig(budget="latency", times={"2": 1.0}),
            "^6: the budget latency needs the seconds that the layer takes, and times .* of 2: add",
        ),
        (
            PruningConfig(budget="latency", times={"2": 1.0, "6": 0.0}),
            "^6: the budget latency needs the seconds",
        ),
        (
            PruningConfig(budget="latency", times={2: 1.0, "2": 1.0, "6": "x"}),  # type: ignore[dict-item]
            "^6: the budget latency needs the seconds",
        ),
        (PruningConfig(budget="flops"), "^the budget flops needs an example of the network's inp"),
        (PruningConfig("n_m", 4, budget="weights"), r"^2: n_m\(m=4\) has no blocks that compete"),
    ],
)
def test_budgets_that_do_not_fit(config: PruningConfig, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(network(), config=config, method="magnitude")


def test_modules_that_are_not_called() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.called, self.idle = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.called(x)
            return y

    model = Network()
    with pytest.raises(NiwakiError, match=r"^idle: the network does not call this module, so"):
        layer_flops(model, find_layers(model), torch.zeros(3, 4))


def test_scores_of_patterns_are_those_of_kernels() -> None:
    from niwaki.pruning import parse_scheme

    weights = np.ones((4, 2, 9), np.float32)
    weights[:2] *= 2
    (scores,) = parse_scheme("pattern(library=published, filters=2)").scores(weights, 1)
    assert sorted(np.unique(scores).tolist()) == [0, 1, 4]
    assert np.count_nonzero(scores) * 9 == scores.size * 4

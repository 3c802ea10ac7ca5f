"""Pruning-as-Search by time: costs of layers tell which widths and rates pay."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from unit.pruning.tiny_task import accuracy, loader, network
from unit.pruning.toy_costs import ToyCosts, toy_costs

import niwaki
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.pruning import Pruner, PruningConfig, add_branches, load_config, merge_branches
from niwaki.pruning.channel_watch import watch_channels
from niwaki.pruning.width_times import WidthTimes

pytestmark = pytest.mark.usefixtures("one_thread")

EXAMPLE = torch.zeros(2, 1, 12, 12)
SEARCHED = ["0", "2", "6"]


def names(model: nn.Module) -> dict[int, str]:
    return {id(module): path for path, module in model.named_modules()}


def settings_left(model: nn.Module) -> dict[str, Setting]:
    """Widths of the tiny network after filters have gone, by hand."""
    found, channels = {}, 1
    for name in ("0", "2", "6", "10"):
        filters = int(model.get_parameter(f"{name}.weight").flatten(1).any(1).sum())
        found[name] = Setting(filters=filters, channels=channels)
        channels = filters
    return found


def searched(model: nn.Module, costs: Any, rate: float, method: str = "search") -> nn.Module:
    torch.manual_seed(1)
    config = PruningConfig("filter", rate, include=SEARCHED, costs=costs)
    return niwaki.prune(
        model, loader(), config=config, method=method, epochs=6, learning_rate=3e-3, progress=False
    )


@pytest.mark.parametrize(("dear", "rate"), [("0", 3), ("6", 3)])
def test_widths_follow_what_layers_cost(dense: nn.Module, dear: str, rate: float) -> None:
    """The limit is just met, in widths as they are, and the dear layer pays for it."""
    costs = toy_costs(dense, others=100, **{f"_{dear}": 30})
    pruned = searched(dense, costs, rate)
    left = settings_left(pruned)
    wanted = costs.network({}) / rate
    assert 0.85 * wanted < costs.network(left) <= wanted
    shares = {name: (left[name].filters or 0) / costs.layers[name].filters for name in SEARCHED}
    if dear == "0":
        assert shares["0"] == min(shares.values()) < 0.5
    else:
        assert shares["0"] == max(shares.values()) > 0.6
    assert accuracy(pruned.eval()) > 0.5


def test_a_time_between_known_widths_has_the_slope_of_its_cell() -> None:
    model = network()
    costs = toy_costs(model, others=7, _6=10)
    graph = watch_channels(model, EXAMPLE)
    spaces = sorted(set(graph.sizes) - graph.whole)
    times = WidthTimes(graph, spaces, names(model), costs)
    for sizes in ((8, 16, 16), (5, 13, 3), (1, 1, 1), (2, 16, 15)):
        masks = {
            space: (torch.arange(graph.sizes[space]) < size).double().requires_grad_()
            for space, size in zip(spaces, sizes, strict=True)
        }
        a, b, c = sizes
        # A product of widths is bilinear, so that nothing is lost between them.
        expected = 7 + 9 * a + 9 * a * b + 10 * 9 * b * c + 4 * c
        total = times.soft(masks)
        assert float(total.detach()) == pytest.approx(expected)
        assert times.exact(masks) == pytest.approx(expected)
        gradients = torch.autograd.grad(total, list(masks.values()))
        slopes = (9 + 9 * b, 9 * a + 90 * c, 90 * b + 4)
        for gradient, slope in zip(gradients, slopes, strict=True):
            assert gradient.tolist() == pytest.approx([slope] * len(gradient))


def test_training_asks_for_widths_of_a_grid_alone() -> None:
    """Odd widths may take long to price."""
    model = nn.Sequential(nn.Conv2d(1, 64, 1), nn.ReLU(), nn.Conv2d(64, 1, 1))
    costs = toy_costs(model)
    graph = watch_channels(model, EXAMPLE)
    times = WidthTimes(graph, [0], names(model), costs)
    for width in range(1, 65):
        times.soft({0: (torch.arange(64) < width).double()})
    widths = {setting.filters for _, setting in costs.asked} - {None, 1, 2}
    assert widths == {8, 16, 24, 32, 40, 48, 56, 64}


class Steps(ToyCosts):
    """Widths take as long as the next multiple of four does, as vectors have it."""

    def seconds(self, layer: str, setting: Setting) -> float:
        form = self.layers[layer]
        wide = -(-(setting.filters or form.filters) // 4) * 4
        whole = super().seconds(layer, Setting(channels=setting.channels))
        return whole * wide / form.filters


@pytest.mark.parametrize("rate", [1.5, 2.5, 4])
def test_a_limit_of_stepwise_costs_is_never_exceeded(dense: nn.Module, rate: float) -> None:
    costs = Steps(toy_costs(dense).layers, others=20)
    model = deepcopy(dense)
    pruner = Pruner(model, PruningConfig("filter", rate, include=SEARCHED, costs=costs), "search",
                    EXAMPLE)  # fmt: skip
    pruner.before_training(epochs=1, steps=4)
    gates = pruner.method._searched.gates  # type: ignore[attr-defined]
    for seed in range(5):
        torch.manual_seed(seed)
        gates.values.data = torch.rand(len(gates.values))
        method = pruner.method._searched  # type: ignore[attr-defined]
        kept = gates.chosen(method.exact, costs.network({}) / rate)
        assert method.exact(kept) <= costs.network({}) / rate
    pruner.each_epoch()
    assert costs.network(settings_left(model)) <= costs.network({}) / rate


def test_branches_are_priced_as_the_layer_they_become(dense: nn.Module) -> None:
    costs = toy_costs(dense, others=100, _0=100)
    branched = add_branches(dense, EXAMPLE)
    torch.manual_seed(1)
    config = PruningConfig("filter", 2, include=["0.*", "2.*", "6.*"], costs=costs)
    pruned = niwaki.prune(
        branched, loader(), config=config, method="search", epochs=4, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip
    merged = merge_branches(pruned.eval())
    x = torch.randn(4, 1, 12, 12)
    torch.testing.assert_close(merged(x), pruned(x), rtol=1e-4, atol=1e-4)
    wanted = costs.network({}) / 2
    assert 0.8 * wanted < costs.network(settings_left(merged)) <= wanted


def gone(left: nn.Module) -> list[Tensor]:
    return [parameter.detach() == 0 for parameter in left.parameters()]


def test_equal_costs_of_weights_search_as_multiply_adds_do(dense: nn.Module) -> None:
    """Where time is multiply-adds, so is the search."""
    plain = toy_costs(dense, _0=144, _2=144, _6=36)
    assert all(map(torch.equal, gone(searched(dense, plain, 2)), gone(searched(dense, None, 2))))


@pytest.mark.parametrize(
    ("config", "method", "message"),
    [
        (
            PruningConfig("filter", 2, costs=toy_costs(nn.Sequential(nn.Linear(4, 4)))),
            "search",
            r"^2: the costs have no such layer, but 0: give those of the network that is pruned",
        ),
        (
            PruningConfig("filter", 4, include=SEARCHED, costs=toy_costs(network(), others=1e6)),
            "search",
            r"^search cannot reach a rate of 4: with the layers to prune the time falls by 1 at m",
        ),
        (
            PruningConfig("filter", 2, costs=toy_costs(network())),
            "gradual",
            r"^gradual asks for costs with the budget latency alone: choose it, or the method sea",
        ),
    ],
)
def test_what_search_by_time_refuses(config: PruningConfig, method: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(network(), loader(32), config=config, method=method, epochs=2, progress=False)


def test_what_are_no_costs_is_said() -> None:
    config = PruningConfig("filter", 2, costs={"0": 1e-3})  # type: ignore[arg-type]
    message = r"^costs tell seconds of layers in other settings, .* gives them, and not a dict$"
    with pytest.raises(NiwakiError, match=message):
        Pruner(network(), config, "search", EXAMPLE)


def test_no_file_names_costs(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("costs: times.json")
    with pytest.raises(NiwakiError, match=r"unknown key 'costs': choose from scheme, rate, "):
        load_config(tmp_path / "config.yaml")


def test_the_budget_latency_takes_costs_for_times(dense: nn.Module) -> None:
    costs = toy_costs(dense, _6=50)
    times = {name: costs.seconds(name, Setting()) for name in costs.layers}
    configs = [
        PruningConfig("unstructured", 4, budget="latency", **given)
        for given in ({"costs": costs}, {"times": times})
    ]
    pruned = [
        niwaki.prune(dense, config=config, method="magnitude", progress=False) for config in configs
    ]
    for one, other in zip(pruned[0].parameters(), pruned[1].parameters(), strict=True):
        assert torch.equal(one, other)

"""Channels that belong together, found by watching a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from niwaki.pruning.channel_graph import ChannelGraph, Channels, Run
from niwaki.pruning.channel_watch import watch_channels
from niwaki.pruning.channel_widths import multiply_adds


class Net(nn.Module):
    """Two convolutions of 8 filters, of 4, a depthwise one, and norms, put together by `body`."""

    def __init__(self, body: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.body = body
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 4, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.wide, self.fc = nn.Conv2d(16, 4, 1), nn.Linear(8 * 36, 5)
        self.norm, self.plain = nn.BatchNorm2d(8), nn.BatchNorm2d(8, affine=False)

    def forward(self, x: Tensor) -> Any:
        return self.body(self, x)


def watched(body: Callable[[Any, Tensor], Any]) -> tuple[Net, ChannelGraph]:
    net = Net(body)
    return net, watch_channels(net, torch.randn(2, 3, 6, 6))


def reads(net: Net, graph: ChannelGraph, name: str) -> Channels | None:
    module = net.get_submodule(name)
    return next(unit.reads for unit in graph.units if unit.module is module)


def free(graph: ChannelGraph) -> set[int]:
    return set(graph.sizes) - graph.whole


@pytest.mark.parametrize(
    "between",
    [
        lambda n, y: functional.relu(y),
        lambda n, y: functional.relu_(y),
        lambda n, y: functional.relu6(y),
        lambda n, y: functional.gelu(functional.silu(functional.hardswish(y))),
        lambda n, y: functional.max_pool2d(functional.avg_pool2d(y, 3, 1), 2),
        lambda n, y: functional.interpolate(y, scale_factor=2.0),
        lambda n, y: functional.interpolate(y, scale_factor=2.0, mode="bilinear"),
        lambda n, y: functional.pad(y, (1, 1, 2, 2)),
        lambda n, y: functional.dropout(2 * y / 3, 0.5, False),
        lambda n, y: n.norm(y),
        lambda n, y: n.depthwise(y),
        lambda n, y: n.norm(n.depthwise(functional.relu(y))),
        lambda n, y: y * torch.sigmoid(y.mean((2, 3), keepdim=True)),
        lambda n, y: y.flatten(2).unflatten(2, (6, 6)),
        lambda n, y: y.mean((2, 3), keepdim=True),
        lambda n, y: n.norm(y) + functional.relu(y),
    ],
)
def test_ops_that_keep_channels(between: Callable[[Any, Tensor], Tensor]) -> None:
    net, graph = watched(lambda n, x: n.last(between(n, n.a(x))))
    assert reads(net, graph, "last") == (Run(0),)
    gate = "sigmoid" in between.__code__.co_names
    assert free(graph) == (set() if gate else {0})
    assert graph.sizes[0] == 8


@pytest.mark.parametrize(
    "between",
    [
        lambda n, y: torch.sigmoid(y),
        lambda n, y: y + 1,
        lambda n, y: y + torch.ones(1, 8, 1, 1),
        lambda n, y: functional.softmax(y, 1),
        lambda n, y: torch.roll(y, 1, 1),
        lambda n, y: y.flip(1),
        lambda n, y: y[:, [1, 0, *range(2, 8)]],
        lambda n, y: torch.cat(y.chunk(2, 1), 1),
        lambda n, y: y - y.mean(1, keepdim=True),
        lambda n, y: functional.pad(y, (1, 1), value=3.0),
        lambda n, y: functional.hardtanh(y, 1, 2),
        lambda n, y: n.plain(y),
        lambda n, y: n.grouped(y),
        lambda n, y: functional.pixel_shuffle(y.repeat(1, 4, 1, 1), 2),
        lambda n, y: functional.conv2d(y, torch.ones(8, 8, 1, 1)),
    ],
)
def test_ops_that_need_all_channels(between: Callable[[Any, Tensor], Tensor]) -> None:
    _, graph = watched(lambda n, x: n.last(between(n, n.a(x))))
    assert 0 in graph.whole


def test_sums_share_a_space() -> None:
    def shortcut(n: Any, x: Tensor) -> Any:
        y = n.norm(n.a(x))
        return n.last(y + n.b(y))

    net, graph = watched(shortcut)
    assert reads(net, graph, "last") == reads(net, graph, "b") == (Run(0),)
    assert free(graph) == {0}


def test_concatenation_and_flattening() -> None:
    def body(n: Any, x: Tensor) -> Tensor:
        y = n.a(x)
        z = n.b(functional.relu(y))
        w: Tensor = n.wide(torch.cat([z, y], 1)).mean((1, 2, 3))
        return n.fc(z.flatten(1)).sum(1) + w

    net, graph = watched(body)
    assert reads(net, graph, "wide") == (Run(1), Run(0))
    assert reads(net, graph, "fc") == (Run(1, repeat=36),)
    assert {0, 1} <= free(graph)


def test_results_of_the_network_stay_whole() -> None:
    _, graph = watched(lambda n, x: {"y": [n.a(x)]})
    assert free(graph) == set()


def test_multiply_adds_are_those_of_smaller_networks() -> None:
    def network(first: int, second: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, first, 3, stride=2),
            nn.BatchNorm2d(first),
            nn.Conv2d(first, first, 3, padding=1, groups=first),
            nn.Conv2d(first, second, 1, bias=False),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(second * 9, 7),
        )

    x = torch.randn(2, 3, 13, 13)
    graph, small = watch_channels(network(8, 6), x), watch_channels(network(5, 2), x)
    assert set(graph.sizes) - graph.whole == {0, 1}
    whole = {0: torch.ones(8), 1: torch.ones(6)}
    closed = {0: (torch.arange(8) < 5).float(), 1: (torch.arange(6) < 2).float()}
    counted = 2 * (36 * 27 * 8 + 36 * 9 * 8 + 36 * 8 * 6 + 54 * 7)
    assert float(multiply_adds(graph, whole)) == counted
    fewer = multiply_adds(small, {0: torch.ones(5), 1: torch.ones(2)})
    assert float(multiply_adds(graph, closed)) == float(fewer)


def test_the_network_stays_as_it_was() -> None:
    net = Net(lambda n, x: n.norm(n.a(x))).train()
    net.a.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    watch_channels(net, torch.randn(2, 3, 6, 6))
    assert net.training
    assert not net.a.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())

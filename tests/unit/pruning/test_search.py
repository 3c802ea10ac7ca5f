"""Pruning-as-Search: gates learn, multiply-adds come down to the target, channels go for real."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from unit.pruning.tiny_task import accuracy, images, loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    LayerRule,
    Pruner,
    PruningConfig,
    add_branches,
    find_layers,
    merge_branches,
)
from niwaki.pruning.channel_gates import ChannelGates
from niwaki.pruning.channel_watch import watch_channels
from niwaki.pruning.channel_widths import multiply_adds

pytestmark = pytest.mark.usefixtures("one_thread")

EXAMPLE = torch.zeros(2, 1, 12, 12)


class Residual(nn.Module):
    """Sums, a depthwise convolution, a concatenation and a norm of its own before a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.left, self.right = nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(8, 12, 1)
        self.before = nn.BatchNorm2d(12)
        self.depthwise = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.mix = nn.Conv2d(20, 6, 1)
        self.fc = nn.Linear(6 * 36, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.stem_norm(self.stem(x)))
        z = self.left(y) + self.right(y)
        z = self.depthwise(functional.relu(self.before(z)))
        z = functional.max_pool2d(self.mix(torch.cat([functional.relu(z), y], 1)), 2)
        result: Tensor = self.fc(z.flatten(1))
        return result


def multiply_adds_left(model: nn.Module, x: Tensor) -> float:
    """Of all layers: positions x weights between channels that are not removed, by hand."""
    total = 0.0

    def count(module: Any, inputs: Any, output: Tensor) -> None:
        nonlocal total
        weight = module.weight.detach()
        channels = inputs[0].flatten(2).any(2).any(0) if inputs[0].dim() > 2 else inputs[0].any(0)
        left = int(weight.flatten(1).any(1).sum())
        read = 1 if getattr(module, "groups", 1) > 1 else int(channels.sum())
        taps = weight[0, 0].numel()
        total += output.numel() / output.shape[1] * left * read * taps

    kinds = (nn.Conv2d, nn.Linear)
    handles = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        model.eval()(x)
    for handle in handles:
        handle.remove()
    return total


def test_masks_pass_their_gradient_to_gates() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 1, bias=False), nn.ReLU(), nn.Conv2d(4, 1, 1))
    x = torch.randn(3, 1, 5, 5)
    gates = ChannelGates(watch_channels(model, x), [0], least=1, rate=0.0)
    gates.values.data = torch.tensor([0.9, 0.5, 0.49, 0.1])
    gates.install()
    seen: list[Tensor] = []
    hook = gates.values.register_hook(seen.append)
    output = model(x)
    output.square().sum().backward()
    hook.remove()
    gates.remove()
    mask = torch.tensor([1.0, 1.0, 0.0, 0.0], requires_grad=True)
    hidden = functional.relu(functional.conv2d(x, model[0].weight))
    expected = model[2](hidden * mask.reshape(-1, 1, 1))
    torch.testing.assert_close(output, expected)
    expected.square().sum().backward()
    assert mask.grad is not None
    torch.testing.assert_close(seen[0], mask.grad)
    assert bool(mask.grad[2:].any()), "closed channels learn too"


def test_gates_follow_their_gradient() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 1, 1))
    x = torch.randn(2, 1, 4, 4)
    gates = ChannelGates(watch_channels(model, x), [0], least=1, rate=0.1)
    gates.install()
    gates.values.data[:] = 0.6
    pull = torch.tensor([0.2, 0.0, -0.05])
    for _ in range(12):
        (gates.masks()[0] * pull).sum().backward()
    assert gates.values.tolist() == pytest.approx([0, 0.6, 1])
    assert gates.values.grad is None
    gates.remove()
    assert not any(module._forward_hooks for module in model.modules())


def test_one_channel_stays_open_at_least() -> None:
    model = nn.Sequential(nn.Conv2d(1, 5, 1), nn.Conv2d(5, 1, 1))
    gates = ChannelGates(watch_channels(model, torch.zeros(1, 1, 4, 4)), [0], least=2, rate=0.1)
    gates.values.data = torch.tensor([0.1, 0.4, 0.2, 0.0, 0.3])
    assert gates.masks()[0].tolist() == [0, 1, 0, 0, 1]
    gates.values.data += 0.7
    assert gates.chosen(lambda kept: 1, 0)[0].tolist() == [False, True, False, False, True]


def test_equal_gates_take_a_share_of_each_layer() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 1, 1))
    graph = watch_channels(model, torch.zeros(1, 1, 1, 1))
    gates = ChannelGates(graph, [0, 1], least=1, rate=0.1)
    kept = gates.chosen(lambda masks: float(multiply_adds(graph, masks)), 80 / 3)
    first, second = kept.values()
    assert (int(first.sum()), int(second.sum())) in ((4, 4), (4, 5), (5, 4))


@pytest.mark.parametrize("rate", [2, 4])
def test_multiply_adds_reach_the_target(dense: nn.Module, rate: int) -> None:
    torch.manual_seed(1)
    config = PruningConfig("filter", rate, include=["0", "2", "6"])
    pruned = niwaki.prune(
        dense, loader(), config=config, method="search", epochs=8, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip
    x, _ = images(4, 5)
    reached = multiply_adds_left(dense, x) / multiply_adds_left(pruned, x)
    assert rate <= reached < 1.15 * rate
    assert accuracy(pruned.eval()) >= accuracy(dense.eval()) - 0.05
    dense.train()
    norm = pruned.get_submodule("3")
    gone = ~pruned.get_parameter("2.weight").detach().flatten(1).any(1)
    assert bool(gone.any())
    assert not bool(norm.weight[gone].any())
    assert not bool(norm.bias[gone].any())
    assert not any(module._forward_hooks for module in pruned.modules())
    assert not any(module._forward_pre_hooks for module in pruned.modules())


def test_gates_reach_the_target_by_themselves(dense: nn.Module) -> None:
    model = deepcopy(dense)
    config = PruningConfig("filter", 2, include=["0", "2", "6"])
    pruner = Pruner(model, config, "search(ratio=1)", EXAMPLE)
    pruner.before_training(epochs=12, steps=8)
    far = [pruner.method.residual() or 0.0]
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(12):
        model.train()
        for x, labels in loader():
            optimiser.zero_grad()
            (functional.cross_entropy(model(x), labels) + pruner.extra_loss()).backward()
            optimiser.step()
        far.append(pruner.method.residual() or 0.0)
        gated = accuracy(model.eval())
        pruner.each_epoch()
    assert far[0] == pytest.approx(0.5, abs=0.1)
    assert far[-1] < 0.1
    assert gated > 0.5


def residual_network() -> nn.Module:
    torch.manual_seed(3)
    model = Residual()
    for norm in (model.stem_norm, model.before):
        nn.init.uniform_(norm.bias, 0.5, 1)
        nn.init.uniform_(norm.running_mean, -1, 1)
    return model.eval()


def test_removal_leaves_what_closed_gates_leave() -> None:
    """Through sums, concatenations, depthwise convolutions and norms, biases and all."""
    model = residual_network()
    config = PruningConfig("filter", 3, include=["stem", "left", "right", "mix"])
    pruner = Pruner(model, config, "search(ratio=1)", EXAMPLE)
    pruner.before_training(epochs=1, steps=4)
    searched = pruner.method._searched  # type: ignore[attr-defined]
    gates = searched.gates
    assert len(gates.values) == 8 + 12 + 6
    gates.values.data = torch.rand(26)
    chosen = gates.chosen(searched.exact, pruner.method._dense / 3)  # type: ignore[attr-defined]
    gates.values.data = torch.cat([kept.float() for kept in chosen.values()])
    x, _ = images(4, 5)
    with torch.no_grad():
        closed = model(x)
    pruner.each_epoch()
    pruner.finish()
    left, right = (model.get_parameter(f"{n}.weight").flatten(1).any(1) for n in ("left", "right"))
    assert torch.equal(left, right), "what is added goes together"
    assert 0 < int(left.sum()) < 12
    torch.testing.assert_close(model(x), closed)
    rate = multiply_adds_left(residual_network(), x) / multiply_adds_left(model, x)
    assert 3 <= rate < 4.5


def test_removed_channels_stay_removed_in_retraining() -> None:
    model = residual_network().train()
    config = PruningConfig("filter", 2, include=["stem", "left", "right", "mix"])
    pruner = Pruner(model, config, "search", EXAMPLE)
    pruner.before_training(epochs=2, steps=8)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    zeros: dict[str, Tensor] = {}
    for epoch in range(2):
        for x, labels in loader():
            optimiser.zero_grad()
            (functional.cross_entropy(model(x), labels) + pruner.extra_loss()).backward()
            optimiser.step()
        pruner.each_epoch()
        if epoch == 0:
            zeros = {name: p.detach() == 0 for name, p in model.named_parameters()}
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.detach() == 0, zeros[name]), name
    assert all(bool(zeros[name].any()) for name in ("before.bias", "depthwise.weight", "left.bias"))


def test_layers_that_are_not_pruned_keep_what_is_added_to_them() -> None:
    model = residual_network()
    config = PruningConfig("filter", 1.2, include=["stem", "left", "mix"])
    pruner = Pruner(model, config, "search", EXAMPLE)
    pruner.before_training(epochs=2, steps=8)
    assert len(pruner.method._searched.gates.values) == 8 + 6  # type: ignore[attr-defined]


def test_what_search_leaves_dense_is_said() -> None:
    """Layers that `prune` reaches otherwise, and one whose filters the network returns."""
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3), nn.ConvTranspose2d(8, 4, 2), nn.Flatten(1, 2),
        nn.GRU(9, 6),
    )  # fmt: skip
    config = PruningConfig("filter", 1.2, include=["*"])
    told = Pruner(model, config, "search", EXAMPLE).left_out
    assert told == (
        "2, 4.weight_ih_l0, 4.weight_hh_l0 (search removes filters of convolutions and linear "
        "layers alone, and none that must stay)"
    )
    assert Pruner(model, config, "magnitude", EXAMPLE).left_out == ""


def test_branches_are_searched_as_one_layer(dense: nn.Module) -> None:
    """Each layer gets a width of its own, though branches pass their input on."""
    branched = add_branches(dense, EXAMPLE)
    config = PruningConfig("filter", 3, include=["0.*", "2.*", "6.*"])
    torch.manual_seed(1)
    pruned = niwaki.prune(
        branched, loader(), config=config, method="search", epochs=6, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip
    merged = merge_branches(pruned.eval())
    x, _ = images(4, 5)
    torch.testing.assert_close(merged(x), pruned(x), rtol=1e-4, atol=1e-4)
    assert [layer.name for layer in find_layers(merged)] == ["0", "2", "6", "10"]
    rate = multiply_adds_left(dense, x) / multiply_adds_left(merged, x)
    assert 3 <= rate < 3.6
    assert accuracy(merged) >= accuracy(dense.eval()) - 0.05
    dense.train()


@pytest.mark.parametrize(
    ("config", "method", "message"),
    [
        (
            PruningConfig("n_m", 2),
            "search",
            r"^2: n_m has no blocks that gates could close: choose the scheme filter or one of bl",
        ),
        (
            PruningConfig("filter", 2, layers=[LayerRule(["6"], "unstructured")]),
            "search",
            r"^6: search removes either filters or blocks, and here are filter and unstructured: c",
        ),
        (PruningConfig("filter", 2, budget="weights"), "search", r"^2: .* choose the budget layer"),
        (
            PruningConfig("filter", 2, layers=[LayerRule(["6"], rate=4)]),
            "search",
            r"^6: search has one rate for the network, and here are 2 and 4$",
        ),
        (
            PruningConfig("filter", 8, include=["6"]),
            "search",
            r"^search cannot reach a rate of 8: .* falls by 1\.\d* at most; name more layers",
        ),
        (
            PruningConfig("filter", 2, include=["10"]),
            "search",
            r"^search finds no layer whose filters can go: their results reach the network's",
        ),
        (
            PruningConfig("filter", 2),
            "search(beta=0)",
            r"beta and travel are above 0, least is",
        ),
        (PruningConfig("filter", 2), "search(least=0)", r"above 0, least is at least 1$"),
        (PruningConfig("filter", 2), "search(anneal=2)", r"anneal is from 0 to 1, not 2$"),
    ],
)
def test_what_search_refuses(config: PruningConfig, method: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(network(), loader(32), config=config, method=method, epochs=2, progress=False)


def test_search_needs_an_example() -> None:
    with pytest.raises(
        NiwakiError, match=r"^search needs an example of the network's inputs: give"
    ):
        Pruner(network(), PruningConfig("filter", 2), "search")

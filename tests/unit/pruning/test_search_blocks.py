"""Pruning-as-Search of blocks: their gates learn, and each layer comes to a rate of its own."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from unit.pruning.tiny_task import accuracy, loader, network
from unit.pruning.toy_costs import ToyCosts, toy_costs

import niwaki
from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.pruning import (
    LayerRule,
    Pruner,
    PruningConfig,
    add_branches,
    find_layers,
    parse_scheme,
    select,
)
from niwaki.pruning.block_gates import BlockGates
from niwaki.pruning.blocks import Blocks
from niwaki.pruning.searched_blocks import SearchedBlocks
from niwaki.pruning.share_costs import ShareMultiplyAdds, ShareTimes

pytestmark = pytest.mark.usefixtures("one_thread")

EXAMPLE = torch.zeros(2, 1, 12, 12)
POSITIONS = {"2": 144, "6": 36}
SCHEMES = (
    "unstructured",
    "channel",
    "column",
    "block_punched(filters=4)",
    "block_punched(filters=5,channels=3)",
    "kernel_group",
    "kernel_group(vanilla=true,filters=4)",
    "block_column_row(columns=24)",
    "crossbar(filters=8,columns=9)",
)


def shares(model: nn.Module, layers: Any = ("2", "6")) -> dict[str, float]:
    """Of weights that are left."""
    found = {layer.name: layer.weight.detach() for layer in find_layers(model)}
    return {name: float((found[name] != 0).double().mean()) for name in layers}


def searched(model: nn.Module, scheme: str, rate: float, costs: Any = None) -> nn.Module:
    torch.manual_seed(1)
    config = PruningConfig(scheme, rate, include=["2", "6"], costs=costs)
    return niwaki.prune(
        model, loader(), config=config, method="search", epochs=6, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("shape", [(12, 5, 3, 3), (7, 6), (6, 4, 2), (4, 3, 2, 2, 2)])
def test_values_of_blocks_reach_their_weights(shape: tuple[int, ...], flat: bool) -> None:
    """What is spread and summed up again is each block's value as often as it has weights."""
    for sizes in ((1, 1, 1), (4, 2, 1), (5, 64, 1), (2, 3, 9)):
        blocks = Blocks(1 if len(shape) == 2 else shape[0] // 2 % 2 + 1, *sizes, flat=flat)
        if shape[0] % blocks.groups:
            continue
        weight = torch.randn(shape)
        values = torch.rand_like(blocks.energies(weight)).requires_grad_()
        spread = blocks.spread(values, weight)
        assert spread.shape == weight.shape
        counts = blocks.counts(weight)
        torch.testing.assert_close(blocks.energies(spread), values.square() * counts)
        spread.sum().backward()
        torch.testing.assert_close(values.grad, counts)


class Mixed(nn.Module):
    """A layer of each kind whose weights can be pruned, one of them used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.up = nn.ConvTranspose1d(8, 12, 2, groups=2)
        self.grouped = nn.Conv1d(12, 8, 3, padding=1, groups=2)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 8)
        self.last.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.grouped(self.up(self.first(x).mT)).mT
        x, _ = self.gru(x)
        x, _ = self.attention(x, x, x)
        result: Tensor = self.last(x)
        return result


def test_gates_get_the_gradients_of_their_blocks() -> None:
    """In all kinds of layers: results and gradients are those of weights times masks."""
    torch.manual_seed(2)
    model, x = Mixed(), torch.randn(3, 5, 8)
    config = PruningConfig("block_punched(filters=2)", 2, include=["*"])
    targets = select(model, config)
    gates = BlockGates(targets, least=1, rate=0.0)
    gates.values.data = torch.rand(len(gates.values))
    masked = deepcopy(model)
    copies = {layer.name: layer.weight for layer in find_layers(masked)}
    for target in targets:
        copies[target.layer.name].data *= gates.spread(target, gates.masks()).detach()
    gates.install()
    before = [(name, id(parameter)) for name, parameter in model.named_parameters()]
    seen: list[Tensor] = []
    gates.values.register_hook(seen.append)
    torch.testing.assert_close(model(x), masked(x))
    model(x).square().sum().backward()
    masked(x).square().sum().backward()
    assert [(name, id(parameter)) for name, parameter in model.named_parameters()] == before
    expected = []
    for target in targets:
        layer, gradient = target.layer, copies[target.layer.name].grad
        assert gradient is not None
        mask = gates.spread(target, gates.masks()).detach()
        torch.testing.assert_close(layer.weight.grad, gradient * mask, rtol=1e-4, atol=1e-5)
        terms = layer.filters_first(gradient * layer.weight.detach()).reshape(layer.shape)
        taps = terms.reshape(layer.groups, len(terms) // layer.groups, *terms.shape[1:])
        for group in taps:
            expected += [group[at : at + 2].sum(0).flatten() for at in range(0, len(group), 2)]
    torch.testing.assert_close(seen[0], torch.cat(expected), rtol=1e-4, atol=1e-4)
    gates.remove()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_masks_are_those_of_gates() -> None:
    """In all kinds of layers, as far as the scheme allows: here it allows any."""
    torch.manual_seed(2)
    targets = select(Mixed(), PruningConfig("kernel_group(filters=2,channels=2)", 2, include=["*"]))
    costs = ShareMultiplyAdds({target.layer.name: 1.0 for target in targets})
    searched = SearchedBlocks(targets, costs, least=1, rate=0.1)
    searched.gates.values.data = torch.rand(len(searched.gates.values))
    kept = searched.gates.chosen(searched.exact, len(targets) / 2)
    for target in targets:
        mask = searched.weight_masks(kept)[target.layer.name]
        assert torch.equal(mask, searched.gates.spread(target, kept).bool()), target.layer.name


def test_a_weight_is_back_after_a_failed_step() -> None:
    model = nn.Sequential(nn.Conv1d(4, 4, 3), nn.Conv1d(4, 4, 3))
    gates = BlockGates(select(model, PruningConfig("column", 2, include=["0"])), 1, 0.1)
    weight = model[0].weight
    gates.install()
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 5, 9))
    assert model[0].weight is weight


@pytest.mark.parametrize("scheme", SCHEMES)
def test_blocks_reach_the_rate(dense: nn.Module, scheme: str) -> None:
    """That of multiply-adds, with masks that are the scheme's."""
    model = deepcopy(dense)
    config = PruningConfig(scheme, 3, include=["2", "6"])
    pruner = Pruner(model, config, "search(ratio=1)", EXAMPLE)
    pruner.before_training(epochs=1, steps=8)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for x, labels in loader():
        optimiser.zero_grad()
        (functional.cross_entropy(model(x), labels) + pruner.extra_loss()).backward()
        optimiser.step()
    pruner.each_epoch()
    left = shares(model)
    sizes = {"2": 144 * 16 * 8 * 9, "6": 36 * 16 * 16 * 9}
    rate = sum(sizes.values()) / sum(sizes[name] * left[name] for name in sizes)
    assert 3 <= rate < 3.8
    for target in pruner.targets:
        layer, share = target.layer, left[target.layer.name]
        weights = layer.array(layer.weight)
        again = parse_scheme(scheme).mask(weights, 1 / share, layer.groups)
        assert bool((again >= (weights != 0)).all()) or scheme.startswith(("block_col", "cross"))
    pruner.finish()
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_layers_find_rates_of_their_own(dense: nn.Module) -> None:
    costs = toy_costs(dense, others=50, _2=50)
    pruned = searched(dense, "unstructured", 3, costs)
    left = shares(pruned)
    assert left["2"] < 0.5 < left["6"]
    settings = {name: Setting("unstructured", 1 / share) for name, share in left.items()}
    wanted = costs.network({}) / 3
    assert 0.99 * wanted < costs.network(settings) <= wanted + 1e-6
    assert accuracy(pruned.eval()) > 0.8


class Jumps(ToyCosts):
    """No scheme pays before 2x, and none can be above 8x."""

    def seconds(self, layer: str, setting: Setting) -> float:
        if setting.rate > 8:
            return float("inf")
        return super().seconds(layer, Setting(rate=1 if setting.rate < 2 else setting.rate))


@pytest.mark.parametrize("rate", [1.3, 2, 4])
def test_a_limit_of_stepwise_costs_is_never_exceeded(dense: nn.Module, rate: float) -> None:
    costs = Jumps(toy_costs(dense).layers, others=20)
    model = deepcopy(dense)
    config = PruningConfig("block_punched", rate, include=["2", "6"], costs=costs)
    pruner = Pruner(model, config, "search(ratio=1)", EXAMPLE)
    pruner.before_training(epochs=1, steps=4)
    method: Any = pruner.method._searched  # type: ignore[attr-defined]
    for seed in range(4):
        torch.manual_seed(seed)
        method.gates.values.data = torch.rand(len(method.gates.values))
        masks = method.weight_masks(method.chosen(costs.network({}) / rate))
        settings = {
            name: Setting("block_punched", 1 / float(mask.double().mean()))
            for name, mask in masks.items()
        }
        assert costs.network(settings) <= costs.network({}) / rate


def test_a_time_between_known_rates_has_a_slope() -> None:
    model = network()
    targets = select(model, PruningConfig("unstructured", 4, include=["2", "6"]))
    times = ShareTimes(targets, toy_costs(model, others=5))
    left = {name: torch.tensor(share, requires_grad=True) for name, share in
            {"2": 0.3, "6": 1.0}.items()}  # fmt: skip
    total = times.soft(left)
    rest = 8 * 9 + 64 + 5
    assert float(total.detach()) == pytest.approx(rest + 0.3 * 1152 + 2304)
    slopes = torch.autograd.grad(total, list(left.values()))
    assert [float(slope) for slope in slopes] == pytest.approx([1152, 2304])


def test_nothing_is_gained_by_what_is_impossible() -> None:
    model = network()
    targets = select(model, PruningConfig("unstructured", 4, include=["2", "6"]))
    times = ShareTimes(targets, Jumps(toy_costs(model).layers))
    for share in (1 / 8, 0.1, 0.01, 0.001):
        total = times.soft({"2": torch.tensor(1.0), "6": torch.tensor(share)})
        assert float(total) == pytest.approx(8 * 9 + 1152 + 2304 / 8 + 64)
    assert times.knows(targets[0], 8)
    assert not times.knows(targets[0], 8.1)


def test_a_search_goes_on_from_its_state(dense: nn.Module, tmp_path: Any) -> None:
    """Killed after each epoch, in pruning and in retraining."""

    def run(epochs: int, checkpoint: Any) -> nn.Module:
        torch.manual_seed(4)
        return niwaki.prune(
            dense, list(loader(64)), scheme="block_punched", rate=3, method="search",
            epochs=4, checkpoint=checkpoint, progress=False,
            eval=stopping(epochs),
        )  # fmt: skip

    class Stop(Exception):
        pass

    def stopping(epochs: int) -> Any:
        left = iter(range(epochs))

        def evaluate(model: nn.Module) -> float:
            if next(left, None) is None:
                raise Stop
            return 0.0

        return evaluate

    whole = run(4, None)
    for _ in range(3):
        with pytest.raises(Stop):
            run(1, tmp_path / "run.ckpt")
    again = run(4, tmp_path / "run.ckpt")
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("model", "config", "message"),
    [
        (
            add_branches(network(), EXAMPLE),
            PruningConfig("column", 2),
            r"^0: blocks of branches would be merged into others: choose the scheme filter, or me",
        ),
        (
            network(),
            PruningConfig("column", 2, costs=toy_costs(nn.Sequential(nn.Linear(4, 4)))),
            r"^2: the costs have no such layer, but 0: give those of the network that is pruned$",
        ),
        (
            network(),
            PruningConfig("column", 4, costs=toy_costs(network(), others=1e6)),
            r"^search cannot reach a rate of 4: .* the time falls by 1 at most; name more layers",
        ),
        (
            nn.Sequential(nn.GRU(4, 4)),
            PruningConfig(
                "column",
                2,
                include=["*"],
                layers=[LayerRule(["*hh*"], "unstructured")],
                costs=toy_costs(nn.Sequential(nn.GRU(4, 4))),
            ),
            r"^0: costs know one scheme for all weights of a module$",
        ),
    ],
)
def test_what_search_of_blocks_refuses(
    model: nn.Module, config: PruningConfig, message: str
) -> None:
    example = EXAMPLE if not isinstance(model[0], nn.GRU) else torch.zeros(1, 2, 4)
    with pytest.raises(NiwakiError, match=message):
        Pruner(model, config, "search", example).before_training(epochs=2, steps=2)

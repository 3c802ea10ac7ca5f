"""Training and pruning in one run: what is chosen, what shrinks, and how well it does."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from unit.pruning.tiny_task import accuracy, images, loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import Pattern, Pruner, PruningConfig, find_layers, parse_scheme

HIDDEN = ("2", "6")


def batch() -> tuple[Tensor, Tensor]:
    return images(32, 5)


def train_step(model: nn.Module, pruner: Pruner, optimiser: torch.optim.Optimizer) -> None:
    x, labels = batch()
    optimiser.zero_grad()
    (nn.functional.cross_entropy(model(x), labels) + pruner.extra_loss()).backward()
    optimiser.step()


@pytest.mark.parametrize("scheme", ["block_punched", "pattern", "unstructured"])
def test_what_goes_is_chosen_by_the_gradient_of_one_batch(scheme: str) -> None:
    model = network()
    method = "group_lasso(start_at=0.5, ratio=1)"
    pruner = Pruner(model, PruningConfig(scheme, 4), method)
    pruner.before_training(epochs=1, steps=4)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(2):
        train_step(model, pruner, optimiser)
    x, labels = batch()
    model.zero_grad()
    nn.functional.cross_entropy(model(x), labels).backward()
    expected = {}
    for layer in find_layers(model)[1:3]:
        assert layer.weight.grad is not None
        importance = layer.array(layer.weight.detach() * layer.weight.grad)
        fitted = parse_scheme(scheme).fit(abs(importance))
        expected[layer.name] = layer.tensor(fitted.mask(importance, 4)).clone()
    for _ in range(2):
        train_step(model, pruner, optimiser)
    pruner.each_epoch()
    for name, mask in expected.items():
        assert torch.equal(pruner.masks[name], mask)
        assert torch.equal(model.get_parameter(f"{name}.weight") != 0, mask)
    assert not any(p._backward_hooks for p in model.parameters())


def test_what_is_to_go_shrinks_and_the_rest_does_not() -> None:
    layer = nn.Conv2d(8, 8, 3)
    pruner = Pruner(layer, PruningConfig("filter", 2, include=["*"]), "group_lasso(ratio=1)")
    pruner.before_training(epochs=1, steps=200)
    optimiser = torch.optim.SGD(layer.parameters(), 1.0)
    norms = []
    with torch.no_grad():
        layer.weight[4:] *= 0.5
    for _ in range(200):
        optimiser.zero_grad()
        # A loss that tells importance and moves next to nothing.
        (1e-6 * layer.weight.square().sum() + pruner.extra_loss()).backward()
        optimiser.step()
        norms.append(layer.weight.detach().flatten(1).norm(dim=1))
    first, last = norms[0], norms[-1]
    pruner.each_epoch()
    stays = layer.weight.flatten(1).any(dim=1)
    assert int(stays.sum()) == 4
    assert stays[:4].all()
    torch.testing.assert_close(first[stays], last[stays], rtol=1e-3, atol=0)
    # Each norm falls by rate x penalty a step, over the 63 % of steps with a penalty.
    torch.testing.assert_close(
        (first - last)[~stays], torch.full((4,), 126 * 2.5e-4), rtol=0.02, atol=0
    )


@pytest.mark.parametrize("budget", ["layer", "flops"])
def test_one_run_from_first_weights(budget: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pruned = niwaki.prune(
        network(), loader(), config=PruningConfig("pattern", 4, budget=budget),
        method="group_lasso(penalty=1e-3)", epochs=12, learning_rate=3e-3, progress=False,
    )  # fmt: skip
    torch.set_num_threads(threads)
    assert accuracy(pruned.eval()) > 0.85
    kept = {n: float((pruned.get_parameter(f"{n}.weight") != 0).float().mean()) for n in HIDDEN}
    if budget == "layer":
        assert kept == pytest.approx({"2": 0.25, "6": 0.25}, rel=0.12)
    else:
        spent = 144 * 1152 * kept["2"] + 36 * 2304 * kept["6"]
        assert (144 * 1152 + 36 * 2304) / spent == pytest.approx(4, rel=0.1)


def test_libraries_come_from_importance() -> None:
    model = network()
    pruner = Pruner(model, PruningConfig("pattern", 4), "group_lasso(start_at=0, ratio=1)")
    pruner.before_training(epochs=1, steps=3)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    libraries = []
    for _ in range(3):
        train_step(model, pruner, optimiser)
        scheme = pruner.targets[0].scheme
        assert isinstance(scheme, Pattern)
        libraries.append(scheme.library)
    assert libraries[0] == "natural"
    assert all(library != "natural" for library in libraries[1:])
    assert all(a == b for a, b in pairwise(libraries[1:])), "chosen once"


@pytest.mark.parametrize(
    "method",
    ["group_lasso(penalty=0)", "group_lasso(start_at=0.9)", "group_lasso(start_at=-1)"],
)
def test_numbers_out_of_range(method: str) -> None:
    with pytest.raises(NiwakiError, match=r"penalty is above 0, start_at at least 0 and less than"):
        niwaki.prune(network(), loader(32), rate=2, method=method, epochs=1, progress=False)


@pytest.mark.parametrize("frozen", [True, False])
def test_layers_without_a_gradient(frozen: bool) -> None:
    model = network()
    if frozen:
        model.get_parameter("6.weight").requires_grad_(False)
    pruner = Pruner(model, PruningConfig("filter", 2), "group_lasso(start_at=0, ratio=1)")
    pruner.before_training(epochs=1, steps=2)
    loss = model(batch()[0]).sum() if frozen else model.get_parameter("2.weight").sum()
    (loss + pruner.extra_loss()).backward()
    with pytest.raises(NiwakiError, match=r"^6: no gradient has come, .* or exclude it$"):
        pruner.extra_loss()

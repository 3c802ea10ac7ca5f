"""Pruning without data: layer by layer on synthetic inputs, and retraining by the data's owner."""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from typing import Any

import fashion_mnist
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from unit.pruning.tiny_task import accuracy, loader, network, trained

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    Layerwise,
    Pruner,
    PruningConfig,
    find_layers,
    mask_function,
    prune_without_data,
)
from niwaki.pruning.layer_inputs import call_order, input_rows
from niwaki.pruning.least_squares import LeastSquares
from niwaki.pruning.synthetic import synthetic
from niwaki.schemes import detect

pytestmark = pytest.mark.usefixtures("one_thread")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(
    dims=st.integers(1, 3), kernel=st.integers(1, 3), stride=st.integers(1, 2),
    dilation=st.integers(1, 2), groups=st.sampled_from([1, 2]), padding=st.integers(0, 2),
    mode=st.sampled_from(["zeros", "reflect", "circular"]), batch=st.integers(1, 3),
    most=st.sampled_from([5, 10**6]),
)  # fmt: skip
def test_rows_are_what_a_convolution_multiplies(
    dims: int, kernel: int, stride: int, dilation: int, groups: int, padding: int, mode: str,
    batch: int, most: int,
) -> None:  # fmt: skip
    kind: Any = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dims - 1]
    layer = kind(4, 6, kernel, stride, padding, dilation, groups, padding_mode=mode, bias=False)
    x = torch.randn(batch, 4, *(6 + axis for axis in range(dims)))
    outputs = layer(x).movedim(1, -1).reshape(-1, groups, 6 // groups)
    drawn = torch.randperm(len(outputs), generator=seeded())[:most]
    rows = input_rows(layer, x, most, seeded())
    weight = layer.weight.reshape(groups, 6 // groups, -1)
    torch.testing.assert_close(rows @ weight.mT, outputs[drawn].transpose(0, 1))


def test_rows_of_other_layers() -> None:
    x = torch.randn(2, 5, 4)
    rows = input_rows(nn.Linear(4, 3), x, 100, seeded())
    assert rows.shape == (1, 10, 4)
    assert torch.equal(rows[0].sort(dim=0).values, x.reshape(10, 4).sort(dim=0).values)
    same = nn.Conv2d(2, 3, 3, padding="same")
    assert input_rows(same, torch.randn(2, 5, 5), 100, seeded()).shape == (1, 25, 18)


def test_layers_in_the_order_of_their_calls() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.never, self.last, self.first = (nn.Linear(2, 2) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.first(self.last(self.first(x)))
            return y

    model = Network()
    order = call_order(model, find_layers(model), (torch.zeros(1, 2),))
    assert [layer.name for layer in order] == ["first", "last", "never"]
    assert not any(module._forward_pre_hooks for module in model.modules())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2), st.integers(2, 6), st.sampled_from([3, 40]), st.integers(0, 2**31))
def test_least_squares_are_solved(groups: int, columns: int, rows: int, seed: int) -> None:
    """With more rows than columns and with fewer, with a mask and without."""
    generator = seeded(seed)
    before, now = (
        torch.randn(groups, rows, columns, generator=generator).double() for _ in range(2)
    )
    first, anchor = (
        torch.randn(groups, 3, columns, generator=generator).double() for _ in range(2)
    )
    mask = torch.rand(first.shape, generator=generator) < 0.6
    ridge, rho = 0.1, 0.5
    problem = LeastSquares(first, before, now, ridge, rho)
    free = problem.near(anchor)
    kept = problem.under(mask, first)
    size = now.square().mean().sqrt()
    for group in range(groups):
        x, wanted = now[group] / size, first[group] @ (before[group] / size).T
        gram, right = x.T @ x / rows, wanted @ x / rows + ridge * first[group]
        eye = torch.eye(columns).double()
        exact = (right + rho * anchor[group]) @ torch.linalg.inv(gram + (ridge + rho) * eye)
        torch.testing.assert_close(free[group], exact, rtol=1e-5, atol=1e-5)
        for row in range(3):
            chosen = mask[group, row]
            exact = torch.zeros(columns).double()
            system = (gram + ridge * eye)[chosen][:, chosen]
            exact[chosen] = torch.linalg.solve(system, right[row, chosen])
            torch.testing.assert_close(kept[group, row], exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("scheme", "rate", "found", "least"),
    [
        ("unstructured", 4, "unstructured", 0.8),
        ("block_punched", 2, "block_punched(8x1)", 0.7),
        ("pattern", 2.25, "pattern(4x8x1)", 0.7),
    ],
)
def test_a_trained_network_keeps_most_of_its_accuracy(
    scheme: str, rate: float, found: str, least: float
) -> None:
    """Without any data. Magnitude alone leaves 30 %, 18 % and 51 % of predictions right."""
    dense, example = fashion_mnist.make_dense()
    images, labels = (torch.from_numpy(array) for array in fashion_mnist.load_test_images())

    def right(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model.eval()(images).argmax(1) == labels).float().mean())

    by_magnitude = niwaki.prune(dense, scheme=scheme, rate=rate, method="magnitude")
    options: dict[str, Any] = {"scheme": scheme, "rate": rate}
    pruned, _ = prune_without_data(dense, torch.zeros_like(example[0]), **options)
    assert right(pruned) > max(least, right(by_magnitude) + 0.2)
    layer = next(layer for layer in find_layers(pruned) if layer.name == "layer3.0.conv2")
    assert str(detect(layer.array(layer.weight)).scheme) == found


def test_the_owner_of_the_data_retrains_with_the_mask() -> None:
    dense = trained()
    before = deepcopy(dense.state_dict())
    pruned, mask = prune_without_data(
        dense, torch.zeros(4, 1, 12, 12), scheme="block_punched", rate=4
    )
    assert all(torch.equal(before[key], value) for key, value in dense.state_dict().items())
    assert pruned.training == dense.training
    zeros = pruned.get_parameter("6.weight") == 0
    optimiser = torch.optim.SGD(pruned.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    for _ in range(8):
        for x, labels in loader():
            optimiser.zero_grad()
            nn.functional.cross_entropy(pruned(x), labels).backward()
            optimiser.step()
            mask(pruned)
    assert torch.equal(pruned.get_parameter("6.weight") == 0, zeros)
    assert accuracy(pruned.eval()) >= accuracy(dense.eval()) - 0.05


def test_the_mask_is_for_this_network_alone() -> None:
    mask = mask_function(nn.Sequential(nn.Linear(4, 2)))
    with pytest.raises(NiwakiError, match=r"^0: the mask is for weights \[2, 4\], .* are \[2, 5\]"):
        mask(nn.Sequential(nn.Linear(5, 2)))
    with pytest.raises(NiwakiError, match=r"^0: the mask .* are missing: give the network that"):
        mask(nn.Linear(4, 2))


def test_results_are_the_same_each_time() -> None:
    example = torch.zeros(2, 1, 12, 12)
    first, second = (prune_without_data(network(), example, rate=4)[0] for _ in range(2))
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_layers_whose_inputs_tell_nothing_are_pruned_by_magnitude() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.dead = nn.GRU(8, 8, batch_first=True), nn.Linear(8, 8)
            self.never, self.last = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.last(self.gru(x)[0]) + self.dead(0 * x)
            return y

    torch.manual_seed(0)
    model = Network()
    config = PruningConfig("unstructured", 2, include=["*"])
    pruned, _ = prune_without_data(model, torch.zeros(2, 5, 8), config=config)
    plain = niwaki.prune(model, config=config, method="magnitude")
    for name in ("gru.weight_ih_l0", "gru.weight_hh_l0", "dead.weight", "never.weight"):
        assert torch.equal(pruned.get_parameter(name), plain.get_parameter(name))
    assert not torch.equal(pruned.last.weight, plain.last.weight)


def test_rates_of_a_budget_and_retraining_in_the_same_call() -> None:
    config = PruningConfig("unstructured", 4, budget="flops")
    options: dict[str, Any] = {"config": config, "method": "layerwise", "progress": False}
    pruned = niwaki.prune(network(), loader(64), epochs=1, **options)
    kept = {n: int(pruned.get_parameter(f"{n}.weight").count_nonzero()) for n in ("2", "6")}
    assert (144 * 1152 + 36 * 2304) / (144 * kept["2"] + 36 * kept["6"]) == pytest.approx(
        4, rel=0.02
    )


@pytest.mark.parametrize("failing", [False, True])
def test_modes_and_hooks_are_left_alone(failing: bool) -> None:
    """A batch-norm that is frozen stays so, also if the example does not fit."""
    model = network().train()
    model[3].eval()
    example = torch.zeros(2, 3 if failing else 1, 12, 12)
    config = PruningConfig("filter", 2, budget="layer" if failing else "flops")
    with pytest.raises(NiwakiError, match="channels") if failing else nullcontext():
        pruner = Pruner(model, config, "layerwise", example)
        pruner.before_training(0, 0)
        pruner.finish()
    assert model.training
    assert not model[3].training
    assert not any(module._forward_hooks for module in model.modules())
    if not failing:
        assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_pruned_copy_has_the_modes_of_the_network() -> None:
    model = network().train()
    model[3].eval()
    pruned = niwaki.prune(model, scheme="filter", rate=2, method="magnitude")
    assert [m.training for m in pruned.modules()] == [m.training for m in model.modules()]


class Named(nn.Module):
    """Calls its layers as ``layer(input=x)``."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(8, 16), nn.GRU(16, 16), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(input=self.second(input=self.first(input=x))[0])
        return y


def test_layers_may_be_called_by_keyword() -> None:
    config = PruningConfig("block_punched", 4, include=["*"], budget="flops")
    pruned, _ = prune_without_data(Named(), torch.randn(5, 2, 8), config=config)
    weights = [value for name, value in pruned.named_parameters() if "weight" in name]
    kept = sum(int(value.count_nonzero()) for value in weights)
    assert kept <= sum(value.numel() for value in weights) / 3


def test_half_precision() -> None:
    pruned, _ = prune_without_data(
        network().bfloat16(), torch.zeros(4, 1, 12, 12, dtype=torch.bfloat16), rate=4
    )
    weight = pruned.get_parameter("6.weight")
    assert weight.dtype == torch.bfloat16
    assert bool(weight.isfinite().all())
    assert float((weight != 0).float().mean()) == 0.25


def test_synthetic_inputs() -> None:
    example = 3 + 2 * torch.randn(8, 3, 32, 32)
    noise = synthetic(example, seeded())
    assert noise.shape == example.shape
    assert float(noise.mean()) == pytest.approx(3, abs=0.5)
    assert float(noise.std()) == pytest.approx(2, abs=0.2)
    # Neighbours are alike, as in images; rows of numbers are not.
    neighbours = (noise[..., 1:] - noise[..., :-1]).square().mean() / (2 * noise.var())
    assert float(neighbours) < 0.5
    rows = synthetic(torch.zeros(1000, 16), seeded())
    assert float((rows[:, 1:] - rows[:, :-1]).square().mean()) == pytest.approx(2, rel=0.1)
    assert synthetic(torch.zeros(1, 2, 4, 4, 4, dtype=torch.float64), seeded()).dtype == (
        torch.float64
    )
    tokens = synthetic(torch.tensor([[2, 9, 4]] * 50), seeded())
    assert set(tokens.flatten().tolist()) == set(range(2, 10))
    assert synthetic("text", seeded()) == "text"


@pytest.mark.parametrize("option", ["samples=0", "rows=0", "iterations=0", "rho=0", "ridge=0"])
def test_numbers_out_of_range(option: str) -> None:
    with pytest.raises(NiwakiError, match=r"samples, rows and iterations are at least 1, rho and"):
        prune_without_data(network(), torch.zeros(1, 1, 12, 12), method=f"layerwise({option})")


def test_no_example() -> None:
    with pytest.raises(NiwakiError, match=r"^layerwise needs an example of the network's inputs"):
        niwaki.prune(network(), method=Layerwise(), rate=4)

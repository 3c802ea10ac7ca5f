"""Pruning and quantisation together: where weights end, and how they get there."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from unit.pruning.tiny_task import accuracy, images, loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import LayerRule, Levels, Pruner, PruningConfig, Quantized, find_layers

pytestmark = pytest.mark.usefixtures("one_thread")

HIDDEN = ("2", "6")


def is_on_levels(weight: Tensor, levels: Levels) -> bool:
    """Whether each row of weights that are not zero are levels of one scale."""
    weight = weight.detach()
    for row in weight if levels.per_filter else weight[None]:
        kept = row[row != 0]
        # The largest weight may be any level.
        scales = kept.abs().max() / levels.magnitudes if kept.numel() else ()
        if not any(bool(near(kept, levels.nearest(kept / s) * s)) for s in scales):
            return False
    return True


def near(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("scheme", "method"),
    [
        ("crossbar(filters=8, columns=6)", "quantized(bits=3)"),
        ("pattern", "quantized(bits=4, per_filter=true)"),
        ("unstructured", "quantized(states=1/2/4)"),
    ],
)
def test_weights_end_on_levels(dense: nn.Module, scheme: str, method: str) -> None:
    torch.manual_seed(1)
    pruned = niwaki.prune(
        dense, loader(), scheme=scheme, rate=4, method=method, epochs=6, learning_rate=3e-3,
        progress=False,
    )  # fmt: skip
    made = niwaki.pruning.parse_method(method)
    assert isinstance(made, Quantized)
    for name in HIDDEN:
        weight = pruned.get_parameter(f"{name}.weight")
        assert float((weight != 0).float().mean()) == pytest.approx(0.25, rel=0.12)
        assert is_on_levels(weight, made.levels)
        assert not is_on_levels(dense.get_parameter(f"{name}.weight"), made.levels)
    assert accuracy(pruned.eval()) >= accuracy(dense.eval()) - 0.06
    dense.train()
    assert not any(module._forward_pre_hooks for module in pruned.modules())


def test_each_forward_step_sees_levels_while_free_weights_move(dense: nn.Module) -> None:
    model = deepcopy(dense)
    pruner = Pruner(model, PruningConfig("unstructured", 4), "quantized(bits=3, ratio=0.5)")
    pruner.before_training(epochs=2, steps=8)
    optimiser = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    for epoch in range(2):
        for x, labels in loader():
            optimiser.zero_grad()
            outputs = model(x)
            if epoch == 1:
                for name in HIDDEN:
                    weight = model.get_parameter(f"{name}.weight")
                    assert is_on_levels(weight, Levels(bits=3))
                    assert torch.equal(weight != 0, pruner.masks[name])
            (nn.functional.cross_entropy(outputs, labels) + pruner.extra_loss()).backward()
            optimiser.step()
        pruner.each_epoch()
        state = pruner.state_dict()["method"]["held"]
        free = {name: tensors[0].clone() for name, tensors in state.items()}
        if epoch == 0:
            before = free
    for name in HIDDEN:
        assert not torch.equal(free[name], before[name])
        weight = model.get_parameter(f"{name}.weight").detach()
        step = float(weight[weight != 0].abs().max())
        assert 0 < float((free[name] - weight).abs().mean()) < step, "near their levels"


def test_small_steps_add_up_to_another_level() -> None:
    """Steps too small to reach the next level are not lost: the straight-through estimator."""
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 0.12]])
    config = PruningConfig("unstructured", 1, include=["*"])
    pruner = Pruner(layer, config, "quantized(states=0.1/0.5/1, ratio=0.5)")
    pruner.before_training(epochs=2, steps=1)
    pruner.extra_loss()
    pruner.each_epoch()
    seen = []
    for _ in range(40):
        layer(torch.zeros(1, 2))
        layer.weight.data[0, 1] += 0.01
        large, small = layer.weight.detach()[0].tolist()
        seen.append(round((small - 0.01) / large, 1))
    assert seen[0] == 0.1
    assert seen[-1] == 0.5
    assert sorted(seen) == seen


def test_residual_shrinks(dense: nn.Module) -> None:
    """Weights are drawn to the scheme and to levels at once."""
    model = deepcopy(dense)
    method = "quantized(bits=3, ratio=1)"
    pruner = Pruner(model, PruningConfig("crossbar(filters=8, columns=6)", 4), method)
    pruner.before_training(epochs=12, steps=8)
    residuals = [pruner.method.residual() or 0.0]
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(12):
        for x, labels in loader():
            optimiser.zero_grad()
            (nn.functional.cross_entropy(model(x), labels) + pruner.extra_loss()).backward()
            optimiser.step()
        residuals.append(pruner.method.residual() or 0.0)
        last = {name: model.get_parameter(f"{name}.weight").detach().clone() for name in HIDDEN}
        pruner.each_epoch()
    assert residuals[-2] < 0.4 * residuals[0]
    for name, weight in last.items():
        projected = model.get_parameter(f"{name}.weight").detach()
        assert float((weight - projected).norm() / weight.norm()) < 0.3


def test_levels_are_a_set_of_their_own() -> None:
    layer = nn.Conv2d(8, 8, 3)
    config = PruningConfig("pattern", 4, include=["*"])
    pruner = Pruner(layer, config, "quantized(bits=3)")
    pruner.before_training(epochs=2, steps=4)
    (split,) = pruner.method._splits  # type: ignore[attr-defined]
    *scheme, levels = split.z
    assert len(scheme) == 2, "patterns and kernels"
    assert is_on_levels(levels, Levels(bits=3))
    kept = pruner.targets[0].scheme.mask(find_layers(layer)[0].array(layer.weight), 4)
    assert torch.equal(levels != 0, torch.from_numpy(kept).reshape(8, 8, 3, 3))


def test_a_rate_of_1_quantises_alone(dense: nn.Module) -> None:
    config = PruningConfig(
        "unstructured", 4, layers=[LayerRule(["0", "type:Linear"], "unstructured", 1)]
    )
    pruned = niwaki.prune(
        dense, loader(64), config=config, method="quantized(bits=4)", epochs=2, progress=False
    )
    for name in ("0", "10"):
        weight = pruned.get_parameter(f"{name}.weight")
        assert bool((weight != 0).all())
        assert is_on_levels(weight, Levels(bits=4))


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("quantized(bits=1)", "^weights have 2 to 9 bits"),
        ("quantized(states=0/1)", "^states of cells are finite and above 0"),
        ("quantized(rho=0)", r"^quantized\(rho=0.0, .*: rho is above 0, stages and updates are"),
        ("quantized(ratio=0)", r"share of epochs is above 0 and at most 1, not 0$"),
    ],
)
def test_numbers_out_of_range(method: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        niwaki.prune(network(), loader(32), rate=2, method=method, epochs=2, progress=False)


def test_weights_that_are_not_finite() -> None:
    model: Any = network()
    pruner = Pruner(model, PruningConfig("unstructured", 4), "quantized(ratio=1)")
    pruner.before_training(epochs=1, steps=8)
    x, _ = images(32, 5)
    (model(x).sum() * 0 + pruner.extra_loss()).backward()
    model[6].weight.data[0, 0, 0, 0] = float("nan")
    with pytest.raises(NiwakiError, match=r"^6: weights that are not finite have no nearest level"):
        pruner.each_epoch()

"""Branches of convolutions: what they compute before training, and that merging changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from unit.pruning.tiny_task import images, network

from niwaki.errors import NiwakiError
from niwaki.pruning import Branches, add_branches, find_layers, merge_branches

CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
NORMS: dict[int, Any] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def shaken(model: nn.Module) -> nn.Module:
    """The network with random statistics and weights of norms, as after training."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, -1, 1)
            nn.init.uniform_(module.bias, -1, 1)
    return model


@st.composite
def convolutions(draw: Any) -> tuple[nn.Module, Tensor]:
    dims = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels = groups * draw(st.integers(1, 3))
    filters = draw(st.sampled_from([channels, groups * draw(st.integers(1, 3))]))

    def each(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in range(dims))

    kernel, stride, padding, dilation = each(1, 4), each(1, 3), each(0, 4), each(1, 2)
    if draw(st.booleans()):
        stride = (1,) * dims
    size = each(3, 9)
    pairs = zip(size, kernel, padding, dilation, strict=True)
    assume(all(n + 2 * p >= d * (k - 1) + 1 for n, k, p, d in pairs))
    torch.manual_seed(draw(st.integers(0, 999)))
    conv = CONVOLUTIONS[dims](
        channels, filters, kernel, stride, padding, dilation, groups, bias=draw(st.booleans())
    )
    return conv, torch.randn(draw(st.integers(1, 2)), channels, *size)


@given(convolutions(), st.booleans())
def test_merging_changes_nothing(drawn: tuple[nn.Module, Tensor], normed: bool) -> None:
    conv, x = drawn
    norm = NORMS[x.dim() - 2](conv.out_channels) if normed else None
    branches = shaken(Branches(conv, norm)).eval()
    same = conv.in_channels == conv.out_channels and set(conv.stride) == {1}
    assert (branches.identity_norm is not None) == same
    merged = merge_branches(branches)
    assert type(merged) is type(conv)
    torch.testing.assert_close(merged(x), branches(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_branches_begin_with_what_the_network_computes(training: bool) -> None:
    model = shaken(network()).train(training)
    x, _ = images(8, 5)
    branched = add_branches(model, x)
    assert [type(module).__name__ for module in branched][:4] == [
        "Branches", "ReLU", "Branches", "Identity",
    ]  # fmt: skip
    assert isinstance(branched[3], nn.Identity), "its norm is in the branches"
    assert branched.training == training
    torch.testing.assert_close(branched(x), model(x), rtol=0, atol=0)


def test_branches_learn_and_merge() -> None:
    model = network()
    x, labels = images(64, 5)
    branched = add_branches(model, x)
    optimiser = torch.optim.Adam(branched.parameters(), 1e-2)
    for _ in range(5):
        optimiser.zero_grad()
        nn.functional.cross_entropy(branched(x), labels).backward()
        optimiser.step()
    for module in branched.modules():
        if isinstance(module, Branches):
            assert float(module.pointwise_norm.weight.detach().abs().max()) > 0
    merged = merge_branches(branched.eval())
    assert not any(isinstance(module, Branches) for module in merged.modules())
    names = [layer.name for layer in find_layers(model)]
    assert [layer.name for layer in find_layers(merged)] == names
    torch.testing.assert_close(merged(x), branched(x), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(merged(x), model.eval()(x), atol=1e-2)


class Reused(nn.Module):
    """A convolution that is called twice, and a norm that is not alone behind another."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.shared = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.shared(self.twice(self.twice(x)))
        result: Tensor = self.norm(y) + y
        return result


def test_what_is_used_twice_stays() -> None:
    model = shaken(Reused()).eval()
    x = torch.randn(1, 4, 5, 5)
    branched = add_branches(model, x)
    assert isinstance(branched.twice, nn.Conv2d)
    assert isinstance(branched.shared, Branches)
    assert isinstance(branched.norm, nn.BatchNorm2d)
    torch.testing.assert_close(branched(x), model(x))


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(2, 2, 1)),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")),
        nn.Sequential(nn.Conv2d(2, 2, 3, padding="same")),
    ],
)
def test_nothing_can_have_branches(model: nn.Module) -> None:
    with pytest.raises(NiwakiError, match=r"^no convolution can have branches: it needs more than"):
        add_branches(model, torch.zeros(1, 2, 8, 8))

"""`torch.cond`: branches in the compiled network, whose layers have kernels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from numeric.cases import difference
from torch import nn
from torch._higher_order_ops.while_loop import while_loop

import niwaki
from niwaki.errors import NiwakiError

Tensor: TypeAlias = torch.Tensor
cond = torch.cond


class Chosen(nn.Module):
    """Layers, and what is computed of them."""

    def __init__(self, choose: Callable[[Chosen, Tensor], Any]) -> None:
        super().__init__()
        self.choose = choose
        self.linear, self.other, self.cell = nn.Linear(7, 7), nn.Linear(7, 7), nn.GRUCell(7, 7)
        self.conv, self.norm = nn.Conv1d(3, 3, 3, padding=1), nn.BatchNorm1d(3)
        self.register_buffer("shift", torch.randn(7))

    def forward(self, x: Tensor) -> Any:
        return self.choose(self, x)

    def planes(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x.unsqueeze(0))).squeeze(0)


def two_results(net: Chosen, x: Tensor) -> Any:
    """Which read what is outside; the condition is a number in a list."""
    around = x * 2

    def yes(x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.relu(net.linear(x)) + around, x.argmax(1)

    def no(x: Tensor) -> tuple[Tensor, Tensor]:
        return net.cell(x) * net.shift, x.argmin(1)

    return cond((x.sum() > 0).to(torch.int64).reshape(1), yes, no, (x,))


def nested(net: Chosen, x: Tensor) -> Any:
    def inner(x: Tensor) -> Tensor:
        return cond(x.max() > 2, lambda x: net.linear(x), lambda x: x.clone(), (x,))

    return net.linear(cond(x.sum() > 0, inner, net.planes, (x,)))


def in_a_loop(net: Chosen, x: Tensor) -> Any:
    def step(h: Tensor) -> Tensor:
        def yes(h: Tensor) -> Tensor:
            return torch.tanh(net.linear(h)) - 1

        return cond(h.sum() > 0, yes, lambda h: torch.sin(net.other(h)) + net.shift, (h,))

    turn = torch.zeros((), dtype=torch.int64)
    return while_loop(lambda i, h: i < 4, lambda i, h: (i + 1, step(h)), (turn, x))[1]


def around_a_loop(net: Chosen, x: Tensor) -> Any:
    def yes(x: Tensor) -> Tensor:
        return while_loop(lambda h: h.sum() < 30, lambda h: (h.abs() + 1,), (x,))[0]

    return cond(x.sum() > 0, yes, lambda x: net.linear(x), (x,))


def constants(net: Chosen, x: Tensor) -> Any:
    """Tensors that branches make."""
    return cond(x.sum() > 0, lambda x: x + torch.tensor([1.5]), lambda x: torch.ones(3, 7), (x,))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Without what torch.export says of prototypes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    ("choose", "layers"),
    [
        (two_results, ["linear", "linear", "recurrent"]),
        (nested, ["conv", "linear", "linear"]),
        (in_a_loop, ["linear", "linear"]),
        (around_a_loop, ["linear"]),
        (constants, []),
    ],
)
def test_branches(choose: Callable[..., Any], layers: list[str], tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Chosen(choose).eval()
    network = niwaki.compile(model, (torch.randn(3, 7),), output=tmp_path / "n.niwaki").load()
    assert sorted(one.op.split()[0] for one in network.bundle.manifest.layers) == layers
    compare(network, model, 2e-6)


@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 2e-6), ("f16", 2e-3)])
def test_a_file(precision: str, tolerance: float, tmp_path: Path) -> None:
    """With pruned layers, in both types; the result of a file is the model's."""
    torch.manual_seed(0)
    model, file = Chosen(nested).eval(), tmp_path / "net.pt2"
    with torch.no_grad():
        model.linear.weight *= torch.rand(7, 7) < 0.3
        model.conv.weight[1] = 0
    torch.export.save(torch.export.export(model, (torch.randn(3, 7),)), file)
    network = niwaki.compile(file, output=tmp_path / "n.niwaki", precision=precision).load()
    compare(network, model, tolerance)


def test_a_condition_that_is_no_tensor(tmp_path: Path) -> None:
    """PyTorch's files may have one that was known when they were written."""
    torch.manual_seed(0)
    program = torch.export.export(Chosen(nested).eval(), (torch.randn(3, 7),))
    chosen = next(
        node for node in program.graph.nodes if node.target is torch.ops.higher_order.cond
    )
    chosen.args = (True, *chosen.args[1:])
    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(program, output=tmp_path / "n.niwaki")
    assert str(raised.value) == (
        "layer 'cond': 'cond' is given True, which is no tensor: make it one"
    )


def compare(network: Any, model: nn.Module, tolerance: float) -> None:
    """Several calls, for all branches."""
    for seed in range(6):
        torch.manual_seed(seed)
        x = torch.randn(3, 7)
        with torch.no_grad():
            wanted = model(x)
        found = network(x.numpy())
        pairs = zip(found, wanted, strict=True) if isinstance(found, tuple) else [(found, wanted)]
        for result, one in pairs:
            assert not difference(result, one.numpy(), tolerance)

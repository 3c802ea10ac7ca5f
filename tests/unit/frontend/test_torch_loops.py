"""`while_loop` and `scan` of PyTorch: loops in the compiled network, whose layers have kernels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from numeric.cases import TOLERANCE, difference
from numeric.looped import Looped, Scanned
from torch import nn
from torch._higher_order_ops.while_loop import while_loop

import niwaki
from niwaki.errors import NiwakiError

Tensor: TypeAlias = torch.Tensor


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Without what torch.export says of prototypes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("saved", [False, True])
def test_loops_of_unknown_length(saved: bool, tmp_path: Path) -> None:
    """Of a module, and of a file, which notes places in memory that depend on what is counted."""
    torch.manual_seed(0)
    model, x = Looped().eval(), torch.randn(3, 7)
    inputs = torch.tensor(3), x
    given: tuple[Any, ...] = (model, inputs)
    if saved:
        given = (tmp_path / "net.pt2",)
        torch.export.save(torch.export.export(model, inputs, strict=False), given[0])
    network = niwaki.compile(*given, output=tmp_path / "net.niwaki").load()
    layers = sorted(layer.name for layer in network.bundle.manifest.layers)
    assert layers == ["conv", "inner", "linear"]
    for turns in (0, 1, 17):
        with torch.no_grad():
            wanted = model(torch.tensor(turns), x)
        for result, one in zip(network(np.array(turns), x.numpy()), wanted, strict=True):
            assert not difference(result, one.numpy(), TOLERANCE)


@pytest.mark.parametrize("exported", [False, True])
def test_scans(exported: bool, tmp_path: Path) -> None:
    """Of a module, and of a file of torch.export: it stays as it is."""
    torch.manual_seed(0)
    model, inputs = Scanned().eval(), (torch.randn(3, 7), torch.randn(3, 9, 5))
    program = torch.export.export(model, inputs, strict=False)
    before = str(program.graph)
    given: tuple[Any, ...] = (program,) if exported else (model, inputs)
    network = niwaki.compile(*given, output=tmp_path / "net.niwaki").load()
    assert str(program.graph) == before
    with torch.no_grad():
        wanted = model(*inputs)
    for result, one in zip(network(*(x.numpy() for x in inputs)), wanted, strict=True):
        assert not difference(result, one.numpy(), TOLERANCE)


def test_equal_numbers_everywhere(tmp_path: Path) -> None:
    """Weights that are all zero, and states that begin as zeros, before, in and behind a loop."""

    class Zeros(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.linear = nn.GRUCell(7, 7), nn.Linear(7, 7)
            nn.init.zeros_(self.linear.weight)

        def forward(self, n: Tensor, x: Tensor) -> Tensor:
            def step(x: Tensor) -> Tensor:
                return self.linear(self.cell(x, torch.zeros(3, 7))) + x

            turn = torch.zeros((), dtype=torch.int64)
            result = while_loop(lambda i, h: i < n, lambda i, h: (i + 1, step(h)), (turn, step(x)))
            return step(result[1])

    torch.manual_seed(0)
    model, x = Zeros().eval(), torch.randn(3, 7)
    network = niwaki.compile(model, (torch.tensor(3), x), output=tmp_path / "net.niwaki").load()
    for turns in (0, 2):
        with torch.no_grad():
            wanted = model(torch.tensor(turns), x).numpy()
        assert not difference(network(np.array(turns), x.numpy()), wanted, TOLERANCE)


def test_a_transformer_layer(tmp_path: Path) -> None:
    """PyTorch has one op for all of it, which nobody else knows."""

    class Encoded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x: Tensor) -> Any:
            return while_loop(lambda h: h[0, 0, 0] < 5, lambda h: (self.layer(h) + h,), (x,))

    torch.manual_seed(0)
    model, x = Encoded().eval(), torch.randn(2, 5, 8)
    network = niwaki.compile(model, (x,), output=tmp_path / "net.niwaki").load()
    assert "attention" in {layer.op for layer in network.bundle.manifest.layers}
    with torch.no_grad():
        assert not difference(network(x.numpy())[0], model(x)[0].numpy(), TOLERANCE)


@pytest.mark.parametrize(
    ("shape", "features", "told"),
    [
        ((1,), 3, "Expected cond_fn to return a scalar tensor or a bool but got torch.Size([1])"),
        (
            (),
            4,
            "Dynamo failed to run FX node with fake tensors: call_function <built-in function ",
        ),
    ],
)
def test_a_loop_that_is_none(
    shape: tuple[int, ...], features: int, told: str, tmp_path: Path
) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(features, 3)

        def forward(self, x: Tensor) -> Any:
            turn = torch.zeros(shape, dtype=torch.int64)
            return while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, self.linear(h)), (turn, x))

    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(Broken().eval(), (torch.randn(2, 3),), output=tmp_path / "net.niwaki")
    message = str(raised.value)
    assert message.startswith("torch.export cannot export Broken (test_torch_loops.py:")
    assert f"): {told}" in message
    assert message.endswith(": write its body as PyTorch takes it")


def test_a_number_that_is_carried(tmp_path: Path) -> None:
    class Counted(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * 2), (0, x))[1]

    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(Counted().eval(), (torch.randn(3),), output=tmp_path / "net.niwaki")
    assert str(raised.value) == (
        "layer 'while_loop': 'while_loop' is given 0, which is no tensor: make it one"
    )


def test_a_condition_with_a_tensor_of_its_own(tmp_path: Path) -> None:
    """In the body there may be some."""

    class Bounded(nn.Module):
        def __init__(self, bound: Callable[[], Any]) -> None:
            super().__init__()
            self.bound = bound

        def forward(self, x: Tensor) -> Any:
            def step(h: Tensor) -> tuple[Tensor]:
                return (h.abs() + torch.tensor([1.0, 2.0, 3.0]),)

            return while_loop(lambda h: h.sum() < self.bound(), step, (x,))

    x, path = torch.randn(3), tmp_path / "net.niwaki"
    number = Bounded(lambda: 30.0).eval()
    network = niwaki.compile(number, (x,), output=path).load()
    assert not difference(network(x.numpy())[0], number(x)[0].numpy(), TOLERANCE)
    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(Bounded(lambda: torch.tensor(30.0)).eval(), (x,), output=path)
    assert str(raised.value) == (
        "layer 'while_loop': 'while_loop' has a condition that makes a tensor of its own: make it "
        "a buffer of the model, or write a number"
    )

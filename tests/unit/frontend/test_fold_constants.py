"""What depends on weights alone is computed at import, once, and only where that is smaller."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_networks import Function
from torch import nn
from torch.export import ExportedProgram

from niwaki.frontend.torch_import import prepare_program


def program_of(model: nn.Module, *inputs: Any) -> ExportedProgram:
    program = prepare_program(model.eval(), inputs)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(*inputs), model(*inputs))
    return program


def ops_of(program: ExportedProgram) -> list[str]:
    targets = [node.target for node in program.graph.nodes if node.op == "call_function"]
    return [str(target).split(".")[1] for target in targets]


def constants_of(program: ExportedProgram) -> int:
    """How many constants the graph still uses."""
    inputs = set(program.graph_signature.user_inputs)
    nodes = program.graph.find_nodes(op="placeholder")
    return sum(bool(node.users) and node.name not in inputs for node in nodes)


def test_a_chain_of_ops_becomes_one_constant() -> None:
    model = Function(
        lambda self, x: x * (self.a.t() @ self.b).relu().sum(0),
        a=torch.randn(4, 5),
        b=torch.randn(4, 3),
    )
    program = program_of(model, torch.randn(2, 3))
    assert ops_of(program) == ["mul"]
    assert constants_of(program) == 1


def test_equal_computations_share_one_constant() -> None:
    model = Function(
        lambda self, x: nn.functional.linear(nn.functional.linear(x, self.w * 2), self.w * 2),
        w=torch.randn(4, 4),
    )
    program = program_of(model, torch.randn(2, 4))
    assert ops_of(program) == ["mm", "mm"]
    assert constants_of(program) == 1


def test_several_results() -> None:
    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        first, second = self.w.split(2)
        return x * first - second

    program = program_of(Function(forward, w=torch.randn(4, 3)), torch.randn(2, 3))
    assert ops_of(program) == ["mul", "sub"]


def test_a_constant_that_is_returned() -> None:
    program = program_of(
        Function(lambda self, x: (x, self.w * 2), w=torch.randn(4)), torch.randn(2)
    )
    assert ops_of(program) == []


def test_what_is_made_of_numbers_alone_stays_code() -> None:
    program = program_of(Function(lambda self, x: x + torch.zeros(3)), torch.randn(3))
    assert constants_of(program) == 0


def test_numbers_are_folded_where_a_weight_meets_them() -> None:
    model = Function(lambda self, x: x + self.w[torch.arange(3)], w=torch.randn(5))
    program = program_of(model, torch.randn(3))
    assert ops_of(program) == ["add"]


def test_what_would_grow_stays_code() -> None:
    model = Function(lambda self, x: x + self.w.expand(2048, 2048), w=torch.randn(2048))
    program = program_of(model, torch.randn(2048, 2048))
    assert ops_of(program) == ["expand", "add"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.int64, torch.bool])
def test_other_dtypes(dtype: torch.dtype) -> None:
    model = Function(lambda self, x: x + self.w.t().float(), w=torch.ones(2, 3).to(dtype))
    assert ops_of(program_of(model, torch.randn(3, 2))) == ["add"]


def test_a_layer_may_have_any_name() -> None:
    layers = nn.ModuleDict({"batch norm, first": nn.Linear(4, 3)})
    model = Function(lambda self, x: self.layers["batch norm, first"](x), layers=layers)
    x = torch.randn(2, 4)
    torch.testing.assert_close(program_of(model, x).module()(x), model(x))

"""Ops of ours pass torch-mlir by: the network around them is lowered, and they stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch_mlir import ir

from niwaki.dialects import context
from niwaki.frontend import decompositions, onnx_decompositions, own_ops
from niwaki.frontend.onnx_graph import TensorType
from niwaki.frontend.onnx_import import import_onnx
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.set_aside import Held
from niwaki.frontend.torch_import import import_torch
from niwaki.frontend.torch_own_ops import define, own_op

# Takes a tensor, maybe a second one, and a third; gives one like the first, and three numbers.
define("sample", 3, lambda _, x, *__: [x, x.new_empty(3)], count=2)


def _make(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """Ops that nobody knows, with what they were told."""
    given = [value for value in operands if value is not None]
    attributes = {"eps": ir.FloatAttr.get(ir.F32Type.get(), held.options["eps"])}
    results, there = list(held.results), ir.ArrayAttr.get(list(map(_flag, held.present)))
    op = ir.Operation.create("test.sample", results, given, {**attributes, "present": there})
    return list(op.results)


def _flag(value: bool) -> ir.Attribute:
    return ir.BoolAttr.get(value)


@pytest.fixture(autouse=True)
def _sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(own_ops.MAKERS, "sample", _make)


class Network(nn.Module):
    """Two in a row between other ops, one of whose results is returned as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = torch.softmax(self.first(x), -1)
        z = torch.softmax(self.second(y) + x, -1)
        return z, y * 2


def _by_sample(x: torch.Tensor, dim: int, dtype: Any = None) -> Any:
    return own_op("sample", [x, None, x * 3], {"eps": 0.25})[0]


def _check(module: ir.Module, layers: list[str]) -> None:
    """Two ops in a valid module that has only what it had before."""
    module.operation.verify()
    (function,) = module.body.operations
    assert [str(kind) for kind in function.type.inputs] == ["tensor<2x4xf32>"]
    assert [str(kind) for kind in function.type.results] == ["tensor<2x4xf32>"] * 2
    found = [op for op in function.entry_block.operations if op.operation.name == "test.sample"]
    assert [op.operation.location.name_str for op in found] == layers
    for op in found:
        assert [str(value.type) for value in op.operands] == ["tensor<2x4xf32>"] * 2
        assert [str(value.type) for value in op.results] == ["tensor<2x4xf32>", "tensor<3xf32>"]
        assert list(map(str, op.attributes["present"])) == ["true", "false", "true"]
        assert op.attributes["eps"].value == 0.25
    # The second one reads what is computed from the first.
    assert "torch." not in str(module)


def test_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        **decompositions.decomposition_table(),
        torch.ops.aten.softmax.int: _by_sample,
    }
    monkeypatch.setattr("niwaki.frontend.torch_export.decomposition_table", lambda: table)
    made = context()
    made.allow_unregistered_dialects = True
    module = import_torch(Network().eval(), torch.zeros(2, 4), made).module
    _check(module, ["softmax", "softmax"])


def test_one_reads_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing between them that torch-mlir would see."""
    table = {
        **decompositions.decomposition_table(),
        torch.ops.aten.relu.default: lambda x: own_op("sample", [x, None, x], {"eps": 0.5})[0],
    }
    monkeypatch.setattr("niwaki.frontend.torch_export.decomposition_table", lambda: table)
    made = context()
    made.allow_unregistered_dialects = True
    module = import_torch(
        nn.Sequential(nn.ReLU(), nn.ReLU()).eval(), torch.zeros(2, 4), made
    ).module
    module.operation.verify()
    (function,) = module.body.operations
    first, second, end = function.entry_block.operations
    assert list(second.operands) == [first.results[0]] * 2
    assert list(end.operands) == [second.results[0]]


def test_onnx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def rule(steps: Steps) -> None:
        (x,) = steps.node.input
        three = steps.op("Mul", x, steps.number(3))
        types = [steps.graph.type_of(x), TensorType(onnx.TensorProto.FLOAT, (3,))]
        result, _ = steps.own_op("sample", [x, "", three], {"eps": 0.25}, types)
        steps.results = [result]

    monkeypatch.setitem(onnx_decompositions._RULES, "Softmax", rule)
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        onnx.helper.make_node("Softmax", ["a"], ["y"], "one"),
        onnx.helper.make_node("Add", ["y", "x"], ["b"]),
        onnx.helper.make_node("Softmax", ["b"], ["z"], "two"),
        onnx.helper.make_node("Mul", ["y", "y"], ["square"]),
    ]
    kind, shape = onnx.TensorProto.FLOAT, [2, 4]
    values = [
        onnx.helper.make_tensor_value_info(name, kind, shape) for name in ("x", "z", "square")
    ]
    weights = onnx.numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
    graph = onnx.helper.make_graph(nodes, "g", values[:1], values[1:], [weights])
    file = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(graph), file)
    _check(import_onnx(file, context()).module, ["one", "two"])

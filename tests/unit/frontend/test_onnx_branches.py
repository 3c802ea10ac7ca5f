"""`If`: the branch that is taken stands in its place, where the condition can be known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numeric.cases import TOLERANCE, difference
from onnx import TensorProto, helper
from onnx_models import model, node, normal, reference, save

import niwaki
from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import AS_DECLARED, InputChoices
from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_import import prepare_graph

X = {"x": normal(2, 4)}
TRUE = {"c": np.array(True)}


def body(
    nodes: list[onnx.NodeProto], output: str, constants: dict[str, Any] | None = None
) -> onnx.GraphProto:
    tensors = [
        onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()
    ]
    value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, output, [], [value], tensors)


def choice(condition: str, yes: onnx.GraphProto, no: onnx.GraphProto, to: str = "y") -> Any:
    return node("If", condition, to=to, then_branch=yes, else_branch=no)


def ops(graph: OnnxGraph) -> list[str]:
    return [made.op_type for made in graph.nodes]


def prepared(folder: Path, made: onnx.ModelProto, choices: InputChoices = AS_DECLARED) -> OnnxGraph:
    return prepare_graph(save(made, folder / "net.onnx"), choices)


RELU, SIGMOID = body([node("Relu", "x", to="t")], "t"), body([node("Sigmoid", "x", to="e")], "e")


@pytest.mark.parametrize(("condition", "op"), [(True, "Relu"), (False, "Sigmoid")])
def test_constant(condition: bool, op: str, tmp_path: Path) -> None:
    made = model([choice("c", RELU, SIGMOID)], X, {"c": np.array([condition])})
    assert ops(prepared(tmp_path, made)) == [op, "Identity"]


def test_from_shapes(tmp_path: Path) -> None:
    """Two rows, so the sum of sizes is not 5."""
    nodes = [
        node("Shape", "x", to="s"),
        node("ReduceSum", "s", to="n", keepdims=0),
        node("Equal", "n", "five", to="c"),
    ]
    made = model([*nodes, choice("c", RELU, SIGMOID)], X, {"five": np.array(5)})
    assert ops(prepared(tmp_path, made)) == ["Sigmoid", "Identity"]


def test_from_an_input_that_becomes_a_constant(tmp_path: Path) -> None:
    nodes = [node("Equal", "rate", "fast", to="c"), choice("c", RELU, SIGMOID)]
    made = model(nodes, {**X, "rate": np.array(0)}, {"fast": np.array(16000)})
    for rate, op in ((16000, "Relu"), (8000, "Sigmoid")):
        graph = prepared(tmp_path, made, InputChoices(constants={"rate": rate}))
        assert ops(graph)[0] == op
        assert [value.name for value in graph.inputs] == ["x"]


def test_names_that_branches_share(tmp_path: Path) -> None:
    """Values of two branches with the same names, one within another, and outer ones they read."""
    inner = body([node("Mul", "v", "w", to="w_1")], "w_1", {"w": normal(4, seed=1)})
    outer = body(
        [
            node("Add", "x", "w", to="v"),
            choice("c", inner, SIGMOID, to="u"),
            node("Neg", "u", to="o"),
        ],
        "o",
        {"w": normal(4, seed=2)},
    )
    second = body([node("Sub", "v", "w", to="o")], "o", {"w": normal(4, seed=3)})
    nodes = [
        choice("c", outer, SIGMOID, to="v"),  # the name of a value within the branch
        choice("c", second, RELU, to="z"),
        node("Add", "v", "z"),
    ]
    made = model(nodes, X, TRUE)
    network = niwaki.compile(save(made, tmp_path / "n.onnx"), output=tmp_path / "n.niwaki").load()
    # The same without branches; ONNX refuses some of these names, other exporters write them.
    a, b, c = (normal(4, seed=seed) for seed in (2, 1, 3))
    first = -((X["x"] + a) * b)
    assert not difference(network(X["x"]), first + first - c, TOLERANCE)


def test_results_that_the_branch_does_not_compute(tmp_path: Path) -> None:
    """A constant, and a value from outside, twice."""
    yes = body([], "k", {"k": normal(2, 4, seed=5)})
    yes.output.extend([helper.make_tensor_value_info("x", TensorProto.FLOAT, None)] * 2)
    made = model(
        [
            node("If", "c", to=("a", "b", "d"), then_branch=yes, else_branch=yes),
            node("Sum", "a", "b", "d"),
        ],
        X,
        TRUE,
    )
    network = niwaki.compile(save(made, tmp_path / "n.onnx"), output=tmp_path / "n.niwaki").load()
    expected = normal(2, 4, seed=5) + 2 * X["x"]
    assert not difference(network(X["x"]), expected, TOLERANCE)


def test_as_onnx_runtime_has_it(tmp_path: Path) -> None:
    """Layers in branches keep their names, and batch-norm behind a branch goes into them."""
    weights = {"conv.weight": normal(3, 4, 3), "one": np.ones(3, "f4"), "mean": normal(3)}
    yes = body([node("Conv", "x", "conv.weight", to="t")], "t", {"conv.weight": normal(3, 4, 3)})
    norm = node("BatchNormalization", "t2", "one", "mean", "mean", "one")
    inputs = {"x": normal(2, 4, 9)}
    del weights["conv.weight"]
    made = model([choice("c", yes, SIGMOID, to="t2"), norm], inputs, {**TRUE, **weights})
    graph = prepared(tmp_path, made)
    assert ops(graph) == ["Conv"]
    assert graph.names["y"] == "conv"
    network = niwaki.compile(tmp_path / "net.onnx", output=tmp_path / "n.niwaki").load()
    (expected,) = reference(made, inputs)
    assert not difference(network(inputs["x"]), expected, TOLERANCE)


def refusal(folder: Path, made: onnx.ModelProto) -> str:
    with pytest.raises(NiwakiError) as raised:
        prepared(folder, made)
    return str(raised.value).removeprefix(f"{folder / 'net.onnx'}: ")


def test_a_branch_that_is_missing(tmp_path: Path) -> None:
    lame = node("If", "c", then_branch=RELU)
    made = model([lame], X, {"c": np.array(False)})
    assert refusal(tmp_path, made) == (
        "the node that computes 'y' lacks a branch: the file is damaged"
    )


@pytest.mark.parametrize("given", [(), ("",)])
def test_a_condition_that_is_missing(given: tuple[str, ...], tmp_path: Path) -> None:
    made = model([node("If", *given, then_branch=RELU, else_branch=RELU)], X, TRUE)
    assert refusal(tmp_path, made) == (
        "the node that computes 'y' lacks a condition: the file is damaged"
    )


def test_only_the_taken_branch_must_be_supported(tmp_path: Path) -> None:
    random = body([node("RandomUniformLike", "x", to="r")], "r")
    assert ops(prepared(tmp_path, model([choice("c", RELU, random)], X, TRUE)))[0] == "Relu"
    made = model([choice("c", random, RELU)], X, TRUE)
    assert "draws random numbers" in refusal(tmp_path, made)

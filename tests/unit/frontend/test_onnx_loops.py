"""`Loop`: its body, written out as often as it runs, where that is known when compiling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numeric.cases import TOLERANCE, difference
from onnx import TensorProto, helper
from onnx_loops import loop
from onnx_models import model, node, normal, reference, save

import niwaki
from niwaki.errors import NiwakiError

X = {"x": normal(3, 4)}


def compiled(made: onnx.ModelProto, folder: Path) -> Any:
    return niwaki.compile(save(made, folder / "net.onnx"), output=folder / "net.niwaki").load()


def check(made: onnx.ModelProto, folder: Path) -> Any:
    network = compiled(made, folder)
    found = network(X["x"])
    results = found if isinstance(found, tuple) else (found,)
    for output, wanted in zip(results, reference(made, X), strict=True):
        assert not difference(output, wanted, TOLERANCE)
    return network


def test_a_layer_in_all_turns(tmp_path: Path) -> None:
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="b")]
    made = model([loop(nodes, constants={"w": normal(4, 4)})], X, {"n": np.array(3)})
    layers = check(made, tmp_path).bundle.manifest.layers
    assert len(layers) == 3
    assert len({layer.packed_bytes for layer in layers}) == 1


@pytest.mark.parametrize("opset", [11, 17])
def test_results_of_all_turns(opset: int, tmp_path: Path) -> None:
    """By number of the turn, with a value from outside."""
    nodes = [
        node("Cast", "i", to="f"), node("Add", "a", "f", to="d"), node("Mul", "d", "k", to="b"),
        node("Neg", "d", to="s"),
    ]  # fmt: skip
    nodes[0].attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
    turns = loop(nodes, results=("goes_on", "b", "s"), to=("y", "all"))
    constants = {"n": np.array(4), "k": np.array(0.5, np.float32)}
    check(model([turns], X, constants, ("y", "all"), opset), tmp_path)


def test_as_long_as_a_condition_says(tmp_path: Path) -> None:
    nodes = [node("Less", "i", "last", to="goes_on"), node("Sin", "a", to="b")]
    turns = loop(nodes, ("", "yes", "x"), constants={"last": np.array(2)})
    check(model([turns], X, {"yes": np.array(True)}), tmp_path)


@pytest.mark.parametrize(("length", "yes"), [(0, True), (5, False)])
def test_no_turn(length: int, yes: bool, tmp_path: Path) -> None:
    turns = loop([node("Sin", "a", to="b")], ("n", "yes", "x"))
    check(model([turns], X, {"n": np.array(length), "yes": np.array(yes)}), tmp_path)


def test_a_loop_in_a_loop(tmp_path: Path) -> None:
    """Of the same names, which ONNX Runtime does not take."""
    inner = loop([node("Sin", "a", to="b")], ("n", "", "a"), to=("d",))
    outer = loop([inner, node("Neg", "d", to="e")], results=("goes_on", "e"))
    x = X["x"]
    found = compiled(model([outer], X, {"n": np.array(2)}), tmp_path)(x)
    assert not difference(found, np.sin(np.sin(np.sin(np.sin(x)))), TOLERANCE)


def test_two_loops_of_the_same_names(tmp_path: Path) -> None:
    turns = [
        loop([node("Sin", "a", to="b")], to=("z",)),
        loop([node("Cos", "a", to="b")], ("n", "", "z")),
    ]
    check(model(turns, X, {"n": np.array(2)}), tmp_path)


def message(made: onnx.ModelProto, path: Path) -> str:
    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(save(made, path), output=path.with_suffix(".niwaki"))
    text = str(raised.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


WHERE = "the node that computes 'y': op 'Loop' (opset 17) "


def test_results_of_a_length_that_is_an_input(tmp_path: Path) -> None:
    turns = loop([node("Sin", "a", to="b")], results=("goes_on", "b", "b"), to=("", "y"))
    assert message(model([turns], X | {"n": np.array(3)}), tmp_path / "net.onnx") == (
        f"{WHERE}collects a result of each turn, and how many turns there are depends on the data: "
        "give it a length that is a constant, or keep the last result alone"
    )


def test_a_loop_without_end(tmp_path: Path) -> None:
    made = model([loop([node("Sin", "a", to="b")], ("", "", "x"))], X)
    assert message(made, tmp_path / "net.onnx") == (
        f"{WHERE}never ends: give it a length, or let its body say when"
    )


def test_a_value_that_grows(tmp_path: Path) -> None:
    turns = loop([node("Concat", "a", "a", to="b", axis=0)])
    assert message(model([turns], X | {"n": np.array(3)}), tmp_path / "net.onnx") == (
        f"{WHERE}has a value 'a' of [3, 4] before a turn and [6, 4] after it: give the loop a "
        "length that is a constant, or keep the value's size and type"
    )


def test_results_of_no_turn(tmp_path: Path) -> None:
    turns = loop([node("Sin", "a", to="b")], results=("goes_on", "b", "b"), to=("", "y"))
    made = model([turns], X, {"n": np.array(0)})
    assert message(made, tmp_path / "net.onnx") == (
        f"{WHERE}makes no turn, so that 'y' has no elements"
    )

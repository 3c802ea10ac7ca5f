"""`If` whose condition depends on data, compared with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numeric.cases import TOLERANCE, difference
from onnx import helper
from onnx_loops import loop
from onnx_models import Arrays, model, node, normal, save

import niwaki
from niwaki.errors import NiwakiError

X = {"x": normal(3, 4), "n": np.array(2)}
CONSTANTS = {"w": normal(4, 4), "v": normal(4, 4, seed=1), "two": np.array(2)}
MANY = node("Greater", "n", "two", to="many")


def branch(
    nodes: list[onnx.NodeProto], *outputs: str, constants: Arrays | None = None
) -> onnx.GraphProto:
    values = [helper.make_tensor_value_info(name, 1, None) for name in outputs]
    tensors = [onnx.numpy_helper.from_array(v, name) for name, v in (constants or {}).items()]
    return helper.make_graph(nodes, "branch", [], values, tensors)


def choice(
    yes: onnx.GraphProto, no: onnx.GraphProto, to: tuple[str, ...] = ("y",), by: str = "many"
) -> onnx.NodeProto:
    return node("If", by, to=to, then_branch=yes, else_branch=no)


def layers(
    made: onnx.ModelProto, folder: Path, tolerance: float = TOLERANCE, **options: Any
) -> Any:
    """What layers the network has, after its results were compared for several `n`."""
    path = save(made, folder / "net.onnx")
    network = niwaki.compile(path, output=folder / "net.niwaki", **options).load()
    exact = onnxruntime.SessionOptions()  # others round what quantised layers read
    exact.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, exact)
    for n in (0, 2, 3, 5):
        call = X | {"n": np.array(n)}
        found = network(*call.values())
        results = found if isinstance(found, tuple) else (found,)
        for result, wanted in zip(results, session.run(None, call), strict=True):
            assert not difference(result, wanted, tolerance)
    return [layer.op for layer in network.bundle.manifest.layers]


@pytest.mark.parametrize(("precision", "tolerance"), [("f32", TOLERANCE), ("f16", 2e-3)])
def test_layers_and_captured_values(precision: str, tolerance: float, tmp_path: Path) -> None:
    """Of both branches, which share names and give two results."""
    yes = branch([node("MatMul", "d", "w", to="p"), node("Neg", "d", to="q")], "q", "p")
    no = branch([node("MatMul", "x", "v", to="p"), node("Sin", "d", to="s")], "p", "s")
    nodes = [MANY, node("Tanh", "x", to="d"), choice(yes, no, ("y", "z"))]
    made = model(nodes, X, CONSTANTS, ("y", "z"))
    assert layers(made, tmp_path, tolerance, precision=precision) == ["linear"] * 2


def test_branches_that_compute_nothing(tmp_path: Path) -> None:
    """An input, and a constant; of a second result that nobody reads."""
    constants = {name: normal(3, 4, seed=seed) for seed, name in enumerate("kj")}
    no = branch([], "k", "j", constants=constants)
    yes = branch([node("Identity", "x", to="a"), node("Abs", "x", to="b")], "a", "b")
    nodes = [MANY, choice(yes, no, ("z", "unread")), node("Neg", "z")]
    assert not layers(model(nodes, X, CONSTANTS), tmp_path)


def test_branches_in_branches_and_loops(tmp_path: Path) -> None:
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="q")]
    inner = choice(branch(nodes, "q"), branch([node("Sin", "a", to="s")], "s"), ("r",), "early")
    outer = choice(branch([node("Less", "i", "two", to="early"), inner], "r"),
                   branch([node("Add", "a", "x2", to="r")], "r"), ("b",))  # fmt: skip
    made = model([MANY, node("Cos", "x", to="x2"), loop([outer])], X, CONSTANTS)
    assert layers(made, tmp_path) == ["linear"]


def test_turns_one_behind_the_other(tmp_path: Path) -> None:
    """What one turn gives the next is called as what a branch of that computes."""
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="b")]
    no = branch([node("MatMul", "a", "v", to="p"), node("Sin", "p", to="b")], "b")
    made = model([MANY, loop([choice(branch(nodes, "b"), no, ("b",))], ("two", "", "x"))],
                 X, CONSTANTS)  # fmt: skip
    assert layers(made, tmp_path) == ["linear"] * 4


def test_a_loop_in_a_branch(tmp_path: Path) -> None:
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="b")]
    yes = branch([loop(nodes, to=("g",)), node("Add", "g", "x", to="h")], "h")
    made = model([MANY, choice(yes, branch([node("Sin", "x", to="h")], "h"))], X, CONSTANTS)
    assert layers(made, tmp_path) == ["linear"]


def test_a_condition_in_a_list(tmp_path: Path) -> None:
    """And weights that are quantised."""
    numbers = np.arange(-8, 8, dtype=np.int8).reshape(4, 4)
    nodes = [node("DequantizeLinear", "q", "scale", to="f"), node("MatMul", "x", "f", to="p")]
    yes = branch(nodes, "p", constants={"q": numbers, "scale": np.array(0.1, np.float32)})
    no = branch([node("Identity", "x", to="b")], "b")
    nodes = [MANY, node("Reshape", "many", "one", to="l"),
             choice(yes, no, ("r",), "l"), node("Neg", "r")]  # fmt: skip
    made = model(nodes, X, CONSTANTS | {"one": np.array([1])}, opset=19)
    assert layers(made, tmp_path) == ["linear"]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (
            [MANY, choice(branch([], "x"), branch([], "w"))],
            "gives 'y' as float32[3, 4] in one branch and as float32[4, 4] in the other, and which "
            "one is run depends on the data: give both one size and type",
        ),
        (
            [node("Less", "x", "x", to="c"), choice(branch([], "x"), branch([], "x"), ("y",), "c")],
            "has a condition of type bool[3, 4]: make it one boolean",
        ),
    ],
)
def test_branches_that_are_refused(nodes: list[Any], told: str, tmp_path: Path) -> None:
    path = save(model(nodes, X, CONSTANTS), tmp_path / "net.onnx")
    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(path, output=tmp_path / "net.niwaki")
    assert str(raised.value) == (f"{path}: the node that computes 'y': op 'If' (opset 17) {told}")

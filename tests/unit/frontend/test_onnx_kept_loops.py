"""`Loop` and `Scan` that are loops in the compiled network, too, compared with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numeric.cases import TOLERANCE, Array, difference
from onnx import TensorProto, helper
from onnx_loops import loop
from onnx_models import Arrays, model, node, normal, save

import niwaki
from niwaki.errors import NiwakiError
from niwaki.frontend import onnx_loops

X = {"x": normal(3, 4)}


def check(made: onnx.ModelProto, folder: Path, *calls: Arrays) -> Any:
    """Compare each call; returns the network's layers."""
    path = save(made, folder / "net.onnx")
    network = niwaki.compile(path, output=folder / "net.niwaki").load()
    session = onnxruntime.InferenceSession(path)
    for call in calls:
        found = network(*call.values())
        results = found if isinstance(found, tuple) else (found,)
        for result, wanted in zip(results, session.run(None, call), strict=True):
            assert not difference(result, wanted, TOLERANCE)
    return network.bundle.manifest.layers


def turns(*lengths: int) -> list[dict[str, Array]]:
    return [X | {"n": np.array(length)} for length in lengths]


def test_a_length_that_is_an_input(tmp_path: Path) -> None:
    """A loop in a loop, with constants, layers and computed values from outside of both."""
    nodes = [
        node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="q"), node("Add", "q", "d", to="r"),
        node("Add", "r", "one", to="b"),
    ]  # fmt: skip
    inner = loop(nodes, ("two", "", "h"), to=("e",), constants={"one": np.array(1, np.float32)})
    body = [inner, node("Mul", "e", "same", to="g")]
    outer = loop(body, results=("more", "g"), names=("j", "before", "h"))
    made = model(
        [node("Sin", "x", to="d"), node("Identity", "d", to="same"), outer],
        X | {"n": np.array(3)},
        {"w": normal(4, 4), "two": np.array(2)},
    )
    layers = check(made, tmp_path, *turns(0, 1, 17))
    assert len(layers) == 2  # one for each turn of the inner loop, which is written out


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("first", ["", "yes"])
def test_as_long_as_the_data_says(first: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    """With a bound, and by the number of the turn, too; the condition may be a list of one."""
    nodes = [
        node("CastLike", "i", "k", to="f"), node("Add", "a", "f", to="b"),
        node("ReduceMax", "b", to="t", keepdims=0), node("Reshape", "t", "one", to="s"),
        node("Less", "s", "k", to="goes_on"),
    ]  # fmt: skip
    inputs = X | {"n": np.array(3), "k": np.array(9, np.float32)}
    inputs |= {"yes": np.full(shape, True)} if first else {}
    made = model(
        [loop(nodes, ("n", first, "x"), condition=shape)],
        inputs,
        {"one": np.array(shape, np.int64)},
    )
    calls = [inputs | {"n": np.array(n), "k": np.array(k, np.float32)} for n, k in CALLS]
    if first:
        calls.append(inputs | {"yes": np.full(shape, False)})
    check(made, tmp_path, *calls)


CALLS = [(0, 9), (1, 9), (2, -9), (17, 30), (3, 1e9)]


def test_a_body_that_ends_at_once(tmp_path: Path) -> None:
    """With a value that it does not read, and one that it hands on."""
    nodes = [node("Identity", "no", to="goes_on"), node("Exp", "x", to="b")]
    made = model([loop(nodes, results=("goes_on", "b"))], X | {"n": np.array(3)})
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array(False), "no"))
    check(made, tmp_path, *turns(0, 1, 5))


def test_a_loop_as_long_as_the_turn(tmp_path: Path) -> None:
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="b")]
    inner = loop(nodes, ("j", "", "h"), to=("e",))
    outer = loop([inner, node("Add", "e", "x", to="g")], ("n", "", "x"), ("more", "g"),
                 names=("j", "before", "h"))  # fmt: skip
    made = model([outer], X | {"n": np.array(3)}, {"w": normal(4, 4)})
    (layer,) = check(made, tmp_path, *turns(0, 1, 6))
    assert layer.name == "p"


def test_convolutions(tmp_path: Path) -> None:
    """With batch-norm, which is folded in a body as anywhere."""
    x = {"x": normal(1, 5, 7, 9)}
    norm = {name: np.abs(normal(5, seed=seed)) for seed, name in enumerate(("g", "s", "m", "v"))}
    nodes = [
        node("Conv", "a", "w", to="p", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "p", "g", "s", "m", "v", to="q"), node("Relu", "q", to="b"),
    ]  # fmt: skip
    constants = {"w": normal(5, 5, 3, 3) / 4, **norm}
    made = model([loop(nodes)], x | {"n": np.array(3)}, constants)
    (layer,) = check(made, tmp_path, *[x | {"n": np.array(n)} for n in (0, 1, 5)])
    assert layer.op == "conv 3x3"


def test_what_is_read_behind_the_loop_too(tmp_path: Path) -> None:
    """It is computed before."""
    steps = [node("Neg", "x", to="d"), loop([node("Sin", "a", to="b")], ("n", "", "d"), to=("l",))]
    behind = [node("Tanh", "l"), node("Tanh", "d", to="z")]
    made = model([*steps, *behind], X | {"n": np.array(3)}, None, ("y", "z"))
    check(made, tmp_path, *turns(0, 1, 5))


def test_many_turns(tmp_path: Path) -> None:
    """What each of them gives, in order."""
    nodes = [node("MatMul", "a", "w", to="p"), node("Tanh", "p", to="b"), node("Neg", "p", to="s")]
    made = loop(nodes, results=("goes_on", "b", "s"), to=("y", "all"))
    constants = {"w": normal(4, 4), "n": np.array(201)}
    (layer,) = check(model([made], X, constants, ("y", "all")), tmp_path, X)
    assert layer.name == "p"


def test_turns_that_are_collected(tmp_path: Path) -> None:
    """As they are: ONNX Runtime gives how many there were for each of them."""
    made = loop([node("Sin", "a", to="b")], results=("goes_on", "b", "i"), to=("y", "turns"))
    path = save(model([made], X, {"n": np.array(501)}, ("y", "turns")), tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    assert network(X["x"])[1].tolist() == list(range(501))


@pytest.mark.parametrize("most", [0, 500])
def test_scans(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two sequences along other dimensions, both ways; written out and not."""
    monkeypatch.setattr(onnx_loops, "_MOST", most)
    nodes = [
        node("MatMul", "h", "w", to="p"), node("Add", "p", "u", to="q"), node("Tanh", "q", to="g"),
        node("Mul", "g", "v", to="r"), node("Neg", "g", to="s"),
    ]  # fmt: skip
    sizes = {"h": [2, 3], "u": [2, 3], "v": [2, 3], "g": [2, 3], "r": [2, 3], "s": [2, 3]}
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in sizes.items()
    }
    body = helper.make_graph(nodes, "body", [values[n] for n in "huv"], [values[n] for n in "grs"])
    scan = node(
        "Scan", "x", "us", "vs", to=("last", "rs", "ss"), body=body, num_scan_inputs=2,
        scan_input_axes=[0, -1], scan_input_directions=[0, 1], scan_output_axes=[1, 0],
        scan_output_directions=[1, 0],
    )  # fmt: skip
    inputs = {"x": normal(2, 3), "us": normal(5, 2, 3), "vs": normal(2, 3, 5)}
    made = model([scan], inputs, {"w": normal(3, 3)}, ("last", "rs", "ss"))
    layers = check(made, tmp_path, inputs)
    assert len(layers) == (5 if most else 1)


@pytest.mark.parametrize(
    ("options", "opset", "told"),
    [
        ({"num_scan_inputs": 3}, 17, "has a body for other values: the file is damaged"),
        ({"num_scan_inputs": 1}, 8, "is not supported: export the model with opset_version=17"),
        (
            {"num_scan_inputs": 2, "scan_input_axes": [0, 1]},
            17,
            "has sequences of several lengths: give all the same",
        ),
        (
            {"num_scan_inputs": 1, "scan_output_axes": [1]},
            17,
            "has a result 'ys' of unknown rank: declare its shape",
        ),
    ],
)
def test_scans_that_are_refused(
    options: dict[str, Any], opset: int, told: str, tmp_path: Path
) -> None:
    values = {name: helper.make_tensor_value_info(name, 1, None) for name in "huk"}
    body = helper.make_graph(
        [node("Add", "h", "u", to="k")], "body", [values["h"], values["u"]], [values["k"]] * 2
    )
    scan = node("Scan", "x", "us", to=("y", "ys"), body=body, **options)
    made = model([scan], {"x": normal(4, 3), "us": normal(5, 2)}, None, ("y", "ys"), opset)
    with pytest.raises(NiwakiError) as raised:
        niwaki.compile(save(made, tmp_path / "net.onnx"), output=tmp_path / "net.niwaki")
    assert str(raised.value).endswith(f"op 'Scan' (opset {opset}) {told}")

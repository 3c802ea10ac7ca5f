"""RNN, GRU and LSTM nodes with any of their options, compared with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numeric.cases import Array
from onnx_models import Arrays, Case, check, model, node, normal, save

import niwaki
from niwaki.runtime.bundle import open_bundle

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
ACTIVATIONS = (
    *("Relu", "Tanh", "Sigmoid", "HardSigmoid", "Softsign", "LeakyRelu", "Elu", "Affine"),
    *("ScaledTanh", "ThresholdedRelu", "Softplus"),
)


BOUNDED = ("Tanh", "Sigmoid", "HardSigmoid", "Softsign", "ScaledTanh")


def random_case(seed: int, *, pruned: bool = False) -> Case:
    """A node with options drawn at random, its data and states inputs or constants.

    If it is `pruned`, some of its units are zero, and some are read by nothing.
    """
    random = np.random.default_rng(seed)

    def perhaps(probability: float = 0.5) -> bool:
        return bool(random.random() < probability)

    op = ("RNN", "GRU", "LSTM")[seed % 3]
    direction = str(random.choice(["forward", "reverse", "bidirectional"]))
    directions, gates = 1 + (direction == "bidirectional"), GATES[op]
    length, batch, width = (
        int(random.choice(sizes)) for sizes in ((1, 2, 3, 17), (1, 2, 5), (1, 4))
    )
    hidden = int(random.choice((7, 48) if pruned else (1, 2, 7, 48)))
    inputs: Arrays = {"x": normal(length, batch, width, seed=seed)}
    constants: Arrays = {
        "w": normal(directions, gates * hidden, width, seed=seed) * 0.5,
        # Gates that may be below zero let large differences grow from small ones.
        "r": normal(directions, gates * hidden, hidden, seed=seed) * (0.2 if pruned else 0.5),
    }
    names = ["x", "w", "r", "", "", "", "", ""]
    if perhaps(0.7):
        names[3], constants["b"] = "b", normal(directions, 2 * gates * hidden, seed=seed)
    if perhaps():
        where = inputs if perhaps() else constants
        names[4], where["lengths"] = "lengths", random.integers(1, length + 1, batch, np.int32)
    if perhaps():
        where = constants if pruned else inputs
        names[5], where["h"] = "h", normal(directions, batch, hidden, seed=seed)
    if op == "LSTM" and perhaps():
        names[6], constants["c"] = "c", normal(directions, batch, hidden, seed=seed)
    if op == "LSTM" and perhaps():
        names[7], constants["p"] = "p", normal(directions, 3 * hidden, seed=seed)
    attributes: dict[str, Any] = {"hidden_size": hidden, "direction": direction}
    if perhaps():
        count = FUNCTIONS[op] * directions
        # What is not bounded may become infinite: then zeros as weights are not nothing.
        functions = BOUNDED if pruned else ACTIVATIONS
        attributes["activations"] = [str(name) for name in random.choice(functions, count)]
        # As many factors as activations that take them: each takes the next one.
        attributes["activation_alpha"] = random.uniform(0.1, 0.9, count).tolist()
        attributes["activation_beta"] = random.uniform(0.1, 0.9, count).tolist()
    if perhaps(0.3):
        attributes["clip"] = float(random.uniform(0.2, 2))
    if op == "GRU" and perhaps():
        attributes["linear_before_reset"] = 1
    if op == "LSTM" and perhaps(0.3):
        attributes["input_forget"] = 1
    while not names[-1]:
        names.pop()
    outputs = ["y", "yh", "yc"] if op == "LSTM" else ["y", "yh"]
    nodes = [node(op, *names, to=outputs, **attributes)]
    if pruned:
        gone, unread = random.random((2, hidden)) < 0.5
        gone[0] = unread[0] = False
        silence(constants, gone, hidden)
        constants["head"] = normal(hidden, 2, seed=seed) * ~unread[:, None]
        nodes.append(node("MatMul", "y", "head", to="read"))
        outputs = ["read"]
    # The result that is compared has all outputs in it.
    flat = [node("Reshape", name, "minus", to=f"flat {name}") for name in outputs]
    nodes += [*flat, node("Concat", *(f"flat {name}" for name in outputs), to="all", axis=0)]
    constants["minus"] = np.array([-1])
    return Case(f"{seed} {op} {names[3:]} {attributes}", nodes, inputs, constants)


def silence(constants: Arrays, gone: Array, hidden: int) -> None:
    """Units without weights, biases and states; their peepholes stay."""
    for name in constants.keys() & {"w", "r", "b"}:
        array = constants[name]
        rows = array.reshape(len(array), -1, hidden, *array.shape[2:]).copy()
        rows[:, :, gone] = 0
        constants[name] = rows.reshape(array.shape)
    for name in constants.keys() & {"h", "c"}:
        constants[name] = constants[name] * ~gone


def test_options_at_random(tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(30)]
    cases += [random_case(seed, pruned=True) for seed in range(12)]
    check([*cases, *constant_inputs(), *computed_weights()], 17, tmp_path)


# With late gates or peepholes; both directions, one sequence and several, states of any kind.
WORKGROUPS = (4, 23, 52, 56)


@pytest.mark.requires_vulkan
def test_options_on_gpus(tmp_path: Path) -> None:
    """A workgroup takes all steps, but where sequences have lengths."""
    cases = [random_case(seed) for seed in WORKGROUPS]
    ended = next(case for case in map(random_case, range(30)) if "lengths" in case.inputs)
    check([*cases, ended], 17, tmp_path, "vulkan")
    bundle = open_bundle(tmp_path / "cases.niwaki")
    found = [layer.name[0] for layer in bundle.layers if layer.family == "thread_recurrence"]
    assert set(found) == {str(number) for number in range(len(cases))}


def weights(op: str, hidden: int, width: int = 3, directions: int = 1) -> Arrays:
    rows = GATES[op] * hidden
    return {"w": normal(directions, rows, width) * 0.5, "r": normal(directions, rows, hidden) * 0.5}


def constant_inputs() -> Iterator[Case]:
    """Nothing is left to compute; ONNX's own implementation would take no heed of the lengths."""
    constants = {**weights("GRU", 5), "c": normal(4, 2, 3), "n": np.array([2, 4], np.int32)}
    nodes = [node("GRU", "c", "w", "r", "", "n", to=["g"], hidden_size=5), node("Add", "g", "x")]
    yield Case("constant inputs", nodes, {"x": normal(4, 1, 2, 5)}, constants)


def computed_weights() -> Iterator[Case]:
    """Such layers have no kernel."""
    constants = {"x": normal(3, 2, 3)}
    made = node("GRU", "x", "w", "r", hidden_size=5)
    yield Case("computed weights", [made], weights("GRU", 5), constants)


def test_lengths_from_none_to_more_than_there_are_steps(tmp_path: Path) -> None:
    """Without a step the first state is the last one; longer ones count as whole. ONNX Runtime
    gives zeros for the former, and refuses the latter."""
    inputs = {"x": normal(3, 5, 3), "n": np.zeros(5, np.int32), "h": normal(1, 5, 4)}
    made = node("GRU", "x", "w", "r", "", "n", "h", to=["y", "yh"], hidden_size=4)
    path = save(model([made], inputs, weights("GRU", 4), ["y", "yh"]), tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    y, last = network(inputs["x"], np.array([0, 2, 3, 9, -1], np.int32), inputs["h"])
    whole, whole_last = network(inputs["x"], np.full(5, 3, np.int32), inputs["h"])
    for sequence, steps in enumerate((0, 2, 3, 3, 0)):
        given = whole[:, 0, sequence]
        np.testing.assert_array_equal(y[:steps, 0, sequence], given[:steps])
        assert not y[steps:, 0, sequence].any()
        end = given[steps - 1] if steps else inputs["h"][0, sequence]
        np.testing.assert_array_equal(last[0, sequence], end)
    np.testing.assert_array_equal(whole_last[0], whole[2, 0])


def test_names(tmp_path: Path) -> None:
    """Both directions have the node's, or that of what it computes where it has none."""
    made = node("GRU", "x", "w", "r", hidden_size=4, direction="bidirectional")
    for name in ("", "encoder"):
        made.name = name
        data = model([made], {"x": normal(2, 1, 3)}, weights("GRU", 4, 3, 2))
        bundle = niwaki.compile(save(data, tmp_path / "n.onnx"), output=tmp_path / "n.niwaki")
        forward = name or "y"
        names = sorted(layer.name for layer in bundle.layers)
        assert names == [forward] * 2 + [f"{forward}.reverse"] * 2


def test_batch_first(tmp_path: Path) -> None:
    """ONNX Runtime has no such layout: the same data in the other one must give the same."""
    inputs = {"x": normal(3, 5, 2), "h": normal(2, 5, 4), "c": normal(2, 5, 4)}
    flipped = {f"{name} first": np.swapaxes(value, 0, 1) for name, value in inputs.items()}
    names = ("w", "r", "", "", "h", "c")
    options: dict[str, Any] = {"hidden_size": 4, "direction": "bidirectional"}
    outputs = ["y", "yh", "yc"]
    nodes = [
        node("LSTM", "x", *names, to=outputs, **options),
        node(
            *("LSTM", "x first", "w", "r", "", "", "h first", "c first"),
            to=[f"{name} first" for name in outputs],
            **{**options, "layout": 1},
        ),
    ]
    every = [*outputs, *(f"{name} first" for name in outputs)]
    made = model(nodes, {**inputs, **flipped}, weights("LSTM", 4, 2, 2), every)
    path = save(made, tmp_path / "net.onnx")
    network = niwaki.compile(path, output=tmp_path / "net.niwaki").load()
    y, yh, yc, y_first, yh_first, yc_first = network(*inputs.values(), *flipped.values())
    np.testing.assert_allclose(y_first, y.transpose(2, 0, 1, 3), rtol=1e-6)
    np.testing.assert_allclose(yh_first, yh.swapaxes(0, 1), rtol=1e-6)
    np.testing.assert_allclose(yc_first, yc.swapaxes(0, 1), rtol=1e-6)

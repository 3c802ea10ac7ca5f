"""RNN, GRU and LSTM nodes with any of their options, compared with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx_models import Arrays, Case, check, node, normal

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
ACTIVATIONS = (
    *("Relu", "Tanh", "Sigmoid", "HardSigmoid", "Softsign", "LeakyRelu", "Elu", "Affine"),
    *("ScaledTanh", "ThresholdedRelu", "Softplus"),
)


def random_case(seed: int) -> Case:
    """A node with options drawn at random, its data and states inputs or constants."""
    random = np.random.default_rng(seed)

    def perhaps(probability: float = 0.5) -> bool:
        return bool(random.random() < probability)

    op = ("RNN", "GRU", "LSTM")[seed % 3]
    direction = str(random.choice(["forward", "reverse", "bidirectional"]))
    directions, gates = 1 + (direction == "bidirectional"), GATES[op]
    length, batch, width, hidden = map(int, random.integers(1, (4, 4, 6, 6)))
    inputs: Arrays = {"x": normal(length, batch, width, seed=seed)}
    constants: Arrays = {
        "w": normal(directions, gates * hidden, width, seed=seed) * 0.5,
        "r": normal(directions, gates * hidden, hidden, seed=seed) * 0.5,
    }
    names = ["x", "w", "r", "", "", "", "", ""]
    if perhaps(0.7):
        names[3], constants["b"] = "b", normal(directions, 2 * gates * hidden, seed=seed)
    if perhaps():
        where = inputs if perhaps() else constants
        names[4], where["lengths"] = "lengths", random.integers(1, length + 1, batch, np.int32)
    if perhaps():
        names[5], inputs["h"] = "h", normal(directions, batch, hidden, seed=seed)
    if op == "LSTM" and perhaps():
        names[6], constants["c"] = "c", normal(directions, batch, hidden, seed=seed)
    if op == "LSTM" and perhaps():
        names[7], constants["p"] = "p", normal(directions, 3 * hidden, seed=seed)
    attributes: dict[str, Any] = {"hidden_size": hidden, "direction": direction}
    if perhaps():
        count = FUNCTIONS[op] * directions
        attributes["activations"] = [str(name) for name in random.choice(ACTIVATIONS, count)]
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
    # The result that is compared has all outputs in it.
    flat = [node("Reshape", name, "minus", to=f"flat {name}") for name in outputs]
    nodes += [*flat, node("Concat", *(f"flat {name}" for name in outputs), to="all", axis=0)]
    constants["minus"] = np.array([-1])
    return Case(f"{seed} {op} {names[3:]} {attributes}", nodes, inputs, constants)


def test_options_at_random(tmp_path: Path) -> None:
    check([random_case(seed) for seed in range(30)], 17, tmp_path)

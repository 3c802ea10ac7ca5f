"""Which small network tells two spirals apart, if a microcontroller has only so much time?

    niwaki search examples/search/spirals.py --target-ms 0.1 --trials 30 --workers auto -o page.html

Depth, width and activation are searched; each network is trained in a fraction of a second, in
numpy alone. Times are those of a machine that multiplies and adds ten million times a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.studies import Choice, Integer, Limit, Point

Array = npt.NDArray[np.float64]
MULTIPLY_ADDS_PER_MS = 1e4
STEPS, RATE = 300, 0.02


def setup(target_ms: float | None = None) -> dict[str, Any]:
    """What `niwaki search` asks for; without a target it looks for the whole front."""
    space = {
        "layers": Integer(1, 3),
        "width": Integer(4, 32, step=4),
        "activation": Choice("relu", "tanh"),
    }
    return {
        "space": space,
        "train": train,
        "evaluate": evaluate,
        "limits": [Limit("ms", target_ms, milliseconds)],
        "describe": describe,
    }


def sizes(point: Point) -> list[int]:
    """Numbers from the input, a position, to the output."""
    return [2, *[int(point["width"] or 0)] * int(point["layers"] or 0), 1]


def milliseconds(point: Point) -> dict[str, float]:
    """Of each layer, by its multiply-adds."""
    pairs = zip(sizes(point), sizes(point)[1:], strict=False)
    return {f"layer{i}": a * b / MULTIPLY_ADDS_PER_MS for i, (a, b) in enumerate(pairs)}


def describe(point: Point) -> list[tuple[str, str, float]]:
    """The layers of a network, for the page."""
    return [
        (name, f"{size} units, {ms:.3g} ms", size / max(sizes(point)))
        for (name, ms), size in zip(milliseconds(point).items(), sizes(point)[1:], strict=True)
    ]


def spirals(seed: int) -> tuple[Array, Array]:
    """Positions on two spirals, and which of the two each is on: -1 or 1."""
    generator = np.random.default_rng(seed)
    side = generator.choice([-1.0, 1.0], 300)
    turn = generator.uniform(0.5, 12, 300)
    place = np.stack([np.cos(turn), np.sin(turn)], 1) * (side * turn / 12)[:, None]
    return place + generator.normal(0, 0.03, place.shape), side[:, None]


def train(point: Point) -> tuple[list[Array], Any]:
    """Weights after a few hundred steps of Adam on all positions, and the activation."""
    generator = np.random.default_rng(0)
    shapes = zip(sizes(point), sizes(point)[1:], strict=False)
    weights = [generator.normal(0, (2 / (a + 1)) ** 0.5, (a + 1, b)) for a, b in shapes]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    x, y = spirals(1)
    for step in range(1, STEPS + 1):
        gradients = slopes(weights, str(point["activation"]), x, y)
        for weight, gradient, (mean, square) in zip(weights, gradients, moments, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient**2 - square)
            corrected = np.sqrt(square / (1 - 0.99**step)) + 1e-8
            weight -= RATE * mean / (1 - 0.9**step) / corrected
    return weights, point["activation"]


def evaluate(trained: tuple[list[Array], str]) -> dict[str, float]:
    """The share of other positions that it tells right."""
    weights, activation = trained
    x, y = spirals(2)
    *_, last = forward(weights, activation, x)
    return {"accuracy": float((np.sign(last) == y).mean())}


def forward(weights: list[Array], activation: str, x: Array) -> list[Array]:
    """What each layer reads, a one for its bias beside it, and what the last one gives."""
    values = []
    for number, weight in enumerate(weights):
        if number:
            x = np.maximum(x, 0) if activation == "relu" else np.tanh(x)
        values.append(np.concatenate([x, np.ones((len(x), 1))], 1))
        x = values[-1] @ weight
    return [*values, x]


def slopes(weights: list[Array], activation: str, x: Array, y: Array) -> list[Array]:
    """Gradients of the logistic loss."""
    *values, last = forward(weights, activation, x)
    gradient = -y / (1 + np.exp(y * last)) / len(y)
    found = []
    for weight, value in zip(reversed(weights), reversed(values), strict=True):
        found.append(value.T @ gradient)
        active = value[:, :-1]
        slope = active > 0 if activation == "relu" else 1 - active**2
        gradient = gradient @ weight[:-1].T * slope
    return found[::-1]

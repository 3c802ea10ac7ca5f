"""What is added to an ONNX convolution becomes its bias, where it is one number for each filter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import Arrays, Case, check, model, node, normal, save

from niwaki.frontend.onnx_import import prepare_graph

CHANNELS, FILTERS, OPSET = 3, 4, 17
IMAGE: Arrays = {"x": normal(1, CHANNELS, 5, 6)}
PADS = {"Conv": [1, 1, 0, 0], "ConvTranspose": [1, 0, 0, 1]}  # results are as large as images
WEIGHTS = {
    "Conv": normal(FILTERS, CHANNELS, 2, 2, seed=1),
    "ConvTranspose": normal(CHANNELS, FILTERS, 2, 2, seed=1),
}
FOLDED = [(1, FILTERS, 1, 1), (FILTERS, 1, 1)]
OTHERS = [
    *[(1, 1, 1, 1), (1,), (5, 1), (1, FILTERS, 1, 6)],
    *[(2, FILTERS, 1, 1), (1, 1, FILTERS, 1, 1)],
]
STATISTICS = {"scale": np.full(FILTERS, 1.5, "f4"), "mean": normal(FILTERS, seed=3)}


def layer(op: str, *inputs: str, to: str = "t") -> Any:
    return node(op, "x", *inputs, to=to, pads=PADS[op])


def cases() -> Iterator[tuple[Case, int]]:
    """Cases, and how many sums stay in each."""
    for op, weights in WEIGHTS.items():
        for shape in (*FOLDED, *OTHERS):
            constants = {"w": weights, "b": normal(*shape, seed=2)}
            stay = 0 if shape in FOLDED else 1
            for names in (("t", "b"), ("b", "t")):
                nodes = [layer(op, "w"), node("Add", *names)]
                yield Case(f"{op} {shape} {names}", nodes, IMAGE, constants), stay
        constants = {"w": weights, "b": normal(1, FILTERS, 1, 1, seed=2), **STATISTICS}
        norm = node("BatchNormalization", "u", "scale", "mean", "mean", "scale", to="v")
        nodes = [layer(op, "w"), node("Add", "t", "b", to="u"), norm, node("Relu", "v")]
        yield Case(f"{op} and batch-norm", nodes, IMAGE, constants), 0
        nodes = [layer(op, "w"), node("Add", "t", "b", to="u"), node("Mul", "t", "u")]
        yield Case(f"{op} that others read", nodes, IMAGE, constants), 1
        nodes = [layer(op, "w", "mean"), node("Add", "t", "b")]
        yield Case(f"{op} with a bias", nodes, IMAGE, constants), 1


@pytest.mark.parametrize(
    ("case", "stay"), list(cases()), ids=lambda value: getattr(value, "name", "")
)
def test_sums_that_stay(case: Case, stay: int, tmp_path: Path) -> None:
    made = model(case.nodes, case.inputs, case.constants, opset=OPSET)
    graph = prepare_graph(save(made, tmp_path / "net.onnx"))
    found = [kept.op_type for kept in graph.nodes]
    assert found.count("Add") == stay
    assert "BatchNormalization" not in found


def test_results(tmp_path: Path) -> None:
    check([case for case, _ in cases()], OPSET, tmp_path)

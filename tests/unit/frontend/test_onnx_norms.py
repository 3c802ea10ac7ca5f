"""ONNX norms of values far from 0, and of zeros."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numeric.cases import Array
from onnx_models import Case, check, model, node, normal, save

import niwaki

ROWS = normal(8, 512) + np.float32(1e4)
IMAGE = normal(2, 4, 30, 40) + np.float32(1e3)
SCALE, BIAS = np.full(4, 2, np.float32), np.full(4, -1, np.float32)


def exact(axes: tuple[int, ...], added: float) -> Callable[[Array], Array]:
    def norm(x: Array) -> Array:
        centred = x.astype(np.float64) - x.mean(axes, np.float64, keepdims=True)
        return np.asarray(centred / np.sqrt((centred**2).mean(axes, keepdims=True) + added))

    return norm


NORMS: dict[str, tuple[Array, tuple[Array, ...], dict[str, Any], Callable[[Array], Array]]] = {
    "LayerNormalization": (ROWS, (np.ones(512, np.float32),), {}, exact((1,), 1e-5)),
    "MeanVarianceNormalization": (IMAGE, (), {"axes": [0, 2, 3]}, exact((0, 2, 3), 0)),
    "InstanceNormalization": (
        IMAGE,
        (SCALE, BIAS),
        {"epsilon": 1e-3},
        lambda x: exact((2, 3), 1e-3)(x) * 2 - 1,
    ),
    "GroupNormalization": (
        IMAGE,
        (SCALE, BIAS),
        {"num_groups": 2},
        lambda x: exact((2, 3, 4), 1e-5)(x.reshape(2, 2, 2, 30, 40)).reshape(x.shape) * 2 - 1,
    ),
}


@pytest.mark.parametrize("op", NORMS)
def test_far_from_zero(op: str, tmp_path: Path) -> None:
    x, constants, attributes, right = NORMS[op]
    named = {f"c{number}": value for number, value in enumerate(constants)}
    made = model([node(op, "x", *named, **attributes)], {"x": x}, named, opset=21)
    bundle = niwaki.compile(save(made, tmp_path / "norm.onnx"), output=tmp_path / "norm.niwaki")
    error = np.abs(bundle.load()(x) - right(x)).max()
    assert error < 2e-5, error


def test_as_onnx_runtime(tmp_path: Path) -> None:
    """All results of layer norm, other axes, and rows of zeros."""
    zeros = {"x": normal(3, 8) * np.array([[1], [0], [2]], np.float32)}
    scale = {"scale": normal(5, 16), "bias": normal(5, 16, seed=1)}
    names = ["y", "mean", "deviation"]
    nodes = [
        node("LayerNormalization", "x", "scale", "bias", to=names, axis=1, epsilon=0.1),
        node("Add", "y", "mean", to="z"),
        node("Mul", "z", "deviation", to="r"),
    ]
    cases = [Case("layer norm", nodes, {"x": normal(2, 5, 16)}, scale, 17)]
    cases += [Case(f"norm {p}", [node("LpNormalization", "x", p=p, axis=1)], zeros) for p in (1, 2)]
    check(cases, 17, tmp_path)

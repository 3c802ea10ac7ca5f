"""ONNX nodes on float16 as ONNX Runtime computes them, with sums that float16 cannot add."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numeric.cases import Array
from onnx_models import Case, check, model, node, normal, save

from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.onnx_import import prepare_graph

# Two units of the last place.
TOLERANCE = 2.0**-10


def half(*shape: int, scale: float = 1, shift: float = 0, seed: int = 0) -> Array:
    return (normal(*shape, seed=seed) * scale + shift).astype(np.float16)


def axes(*values: int) -> Array:
    return np.array(values, np.int64)


LARGE = {"x": half(4, 512, scale=30)}
SHIFTED = {"x": half(4, 512, shift=30)}
IMAGE = {"x": half(1, 4, 40, 50, scale=5, shift=20)}
SMALL = {"x": half(1, 4, 9, 8)}
TOKENS = {"x": half(2, 5, 16)}


def cases() -> Iterator[Case]:
    def case(op: str, inputs: dict[str, Array], *constants: Array, **attributes: Any) -> Case:
        named = {f"c{number}": value for number, value in enumerate(constants)}
        return Case(
            op, [node(op, "x", *named, **attributes)], inputs, named, 18, tolerance=TOLERANCE
        )

    for op in ("ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSumExp"):
        yield case(op, LARGE, axes(1))
    yield case("ReduceSum", {"x": half(4, 512, shift=10)}, axes(1))
    yield case("ReduceSumSquare", {"x": half(4, 512, scale=5)}, axes(1))
    yield case("ReduceProd", {"x": half(4, 12, scale=0.1, shift=1)}, axes(1))
    yield case("GlobalAveragePool", IMAGE)
    yield case("AveragePool", IMAGE, kernel_shape=[9, 11], strides=[4, 3], ceil_mode=1)
    yield case("LpPool", IMAGE, kernel_shape=[3, 3], p=2)
    yield case("GlobalLpPool", IMAGE, p=2)
    yield case("LRN", {"x": half(1, 16, 4, 4, scale=300)}, size=5)
    yield case("LpNormalization", LARGE, axis=1)
    yield case("CumSum", {"x": half(4, 512, shift=5)}, np.array(1))
    yield case("Softmax", LARGE)
    yield case("LogSoftmax", LARGE)
    scale, bias = half(512, seed=1), half(512, seed=2)
    yield case("LayerNormalization", SHIFTED, scale, bias)
    yield case("InstanceNormalization", IMAGE, half(4, seed=1), half(4, seed=2))
    statistics = [half(4, seed=1), half(4, seed=2), half(4, seed=3), np.abs(half(4, seed=4))]
    yield case("BatchNormalization", SMALL, *statistics)
    yield case("MatMul", LARGE, half(512, 7, seed=1))
    yield case("Gemm", SHIFTED, half(512, 7, seed=1), half(7, seed=2))
    yield case("Einsum", LARGE, half(7, 512, seed=1), equation="ij,kj->ik")
    yield case("Conv", IMAGE, half(6, 4, 5, 5, seed=1), half(6))
    yield case("Conv", IMAGE, half(4, 1, 3, 3, seed=1), half(4), group=4)
    yield case("ConvTranspose", SMALL, half(4, 6, 3, 3, seed=1), half(6), strides=[2, 2])
    yield case("LSTM", TOKENS, half(1, 32, 16), half(1, 32, 8), hidden_size=8)
    for op in ("Elu", "Selu", "Sigmoid", "Softplus", "Softsign", "HardSigmoid", "Mish"):
        yield case(op, {"x": half(5, 40, scale=6)})
    for op in ("Exp", "Tanh", "Erf", "Sin", "Atan", "Sinh", "Asinh"):
        yield case(op, {"x": half(5, 40, scale=3)})


def test_as_onnx_runtime(tmp_path: Path) -> None:
    check(list(cases()), 18, tmp_path)


def test_batch_norm_is_folded_and_layers_keep_their_names(tmp_path: Path) -> None:
    constants = {"stem.weight": half(4, 4, 3, 3), "bias": half(4)}
    constants |= {name: np.abs(half(4)) for name in ("gamma", "beta", "mean", "variance")}
    nodes = [
        node("Conv", "x", "stem.weight", "bias", to="z"),
        node("BatchNormalization", "z", "gamma", "beta", "mean", "variance"),
    ]
    path = save(model(nodes, SMALL, constants), tmp_path / "half.onnx")
    graph = prepare_graph(path, InputChoices())
    assert [found.op_type for found in graph.nodes] == ["Cast", "Conv", "Cast"]
    convolution = graph.nodes[1]
    assert graph.names[convolution.output[0]] == "stem"
    assert graph.constants[convolution.input[1]].dtype == np.float32
    assert graph.type_of("y").element == onnx.TensorProto.FLOAT16

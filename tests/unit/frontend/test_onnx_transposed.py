"""ConvTranspose becomes Conv, with ONNX Runtime's results for every option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numeric.cases import TOLERANCE, difference
from onnx import helper
from onnx_models import Arrays, model, node, normal, reference, save

from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_import import prepare_graph

PADDINGS = ("none", "equal", "unequal", "SAME_UPPER", "SAME_LOWER", "VALID", "shape", "shape upper")


def as_model(graph: OnnxGraph) -> onnx.ModelProto:
    """A prepared graph as a model again."""
    inputs: Arrays = {v.name: np.zeros(graph.types[v.name].shape, "f4") for v in graph.inputs}
    return model(graph.nodes, inputs, graph.constants, graph.outputs)


def check(made: onnx.ModelProto, inputs: Arrays, folder: Path) -> None:
    graph = prepare_graph(save(made, folder / "net.onnx"))
    assert "ConvTranspose" not in [kept.op_type for kept in graph.nodes]
    (found,), (expected,) = reference(as_model(graph), inputs), reference(made, inputs)
    assert found.shape == expected.shape
    assert not difference(found, expected, TOLERANCE)
    assert graph.types["y"].shape == expected.shape


def random_case(rng: np.random.Generator, computed: bool) -> tuple[onnx.ModelProto, Arrays]:
    """A layer of any rank and options, whose result is not empty, and inputs.

    Weights and bias are inputs where they are `computed`.
    """
    rank = int(rng.integers(1, 4))
    groups, channels, filters = (int(rng.integers(1, 4)) for _ in range(3))
    taps, sizes = rng.integers(1, 5, rank), rng.integers(2, 7, rank)
    strides, dilations = rng.integers(1, 4, rank), rng.integers(1, 3, rank)
    longer = np.array([rng.integers(0, stride) for stride in strides])
    reach = dilations * (taps - 1) + 1
    whole = strides * (sizes - 1) + reach
    attributes: dict[str, Any] = {"group": groups, "strides": strides, "dilations": dilations}
    padding = rng.choice(PADDINGS)
    before, after = (rng.integers(0, np.minimum(reach, (whole + 1) // 2)) for _ in range(2))
    if padding in ("none", "equal", "unequal"):
        attributes["output_padding"] = longer
    if padding in ("equal", "unequal"):
        attributes["pads"] = [*before, *(before if padding == "equal" else after)]
    elif padding.startswith("shape"):
        attributes["output_shape"] = np.maximum(whole - before, 1)
        if padding == "shape upper":
            attributes["auto_pad"] = "SAME_UPPER"
    elif padding != "none":
        attributes["auto_pad"] = padding
    attributes = {
        name: [int(v) for v in value] if isinstance(value, (list, np.ndarray)) else value
        for name, value in attributes.items()
    }
    x = normal(2, groups * channels, *sizes, seed=int(rng.integers(100)))
    constants = {"w": normal(groups * channels, filters, *taps), "b": normal(groups * filters)}
    names = ["x", "w", "b"] if rng.random() < 0.7 else ["x", "w"]
    inputs = {"x": x, **{name: constants[name] for name in names[1:] if computed}}
    made = model(
        [node("ConvTranspose", *names, **attributes)], inputs, {} if computed else constants
    )
    return made, inputs


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("seed", range(150))
def test_random_layers(seed: int, computed: bool, tmp_path: Path) -> None:
    made, inputs = random_case(np.random.default_rng(seed), computed)
    check(made, inputs, tmp_path)


def test_batch_norm_goes_into_its_weights(tmp_path: Path) -> None:
    one, mean = np.ones(3, np.float32), normal(3)
    nodes = [
        helper.make_node("ConvTranspose", ["x", "up.weight"], ["v"], strides=[2, 2]),
        node("BatchNormalization", "v", "mean", "mean", "mean", "one"),
    ]
    constants = {"up.weight": normal(2, 3, 2, 2), "one": one, "mean": mean}
    inputs = {"x": normal(1, 2, 5, 4)}
    check(model(nodes, inputs, constants), inputs, tmp_path)
    graph = prepare_graph(tmp_path / "net.onnx")
    assert [made.op_type for made in graph.nodes] == ["Conv", "Reshape", "Transpose", "Reshape"]
    assert set(graph.names[made.output[0]] for made in graph.nodes) == {"up"}

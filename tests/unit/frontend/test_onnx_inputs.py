"""Sizes and values that a user gives for the inputs of an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_inputs import fix_inputs

Dims = list[int | str | None]
INT64 = TensorProto.INT64


def graph_of(dims: dict[str, Dims], element: int = TensorProto.FLOAT) -> OnnxGraph:
    inputs = [helper.make_tensor_value_info(name, element, sizes) for name, sizes in dims.items()]
    return OnnxGraph(Path("net.onnx"), 17, [], inputs, [], {})


def fixed(dims: dict[str, Dims], **choices: Any) -> dict[str, tuple[int, ...]]:
    graph = graph_of(dims)
    fix_inputs(graph, InputChoices(**choices))
    return {name: type_.shape for name, type_ in graph.types.items()}


def refusal(dims: dict[str, Dims], element: int = TensorProto.FLOAT, **choices: Any) -> str:
    with pytest.raises(NiwakiError) as raised:
        fix_inputs(graph_of(dims, element), InputChoices(**choices))
    return str(raised.value).removeprefix("net.onnx: ")


@pytest.mark.parametrize("dims", [["n", 3, "h", "w"], [-1, 3, "?", "?"], [0, 0, 0, None]])
def test_every_open_size_can_be_given(dims: Dims) -> None:
    assert fixed({"x": dims}, shapes={"x": (2, 3, 32, 48)}) == {"x": (2, 3, 32, 48)}


def test_a_named_size_holds_for_other_inputs() -> None:
    found = fixed({"x": ["n", "steps"], "state": [2, "n", 8]}, shapes={"x": (4, 5)})
    assert found == {"x": (4, 5), "state": (2, 4, 8)}


def test_a_batch_is_for_what_shapes_leave_open() -> None:
    found = fixed({"x": ["n", 3], "y": ["m", "k"]}, batch=5, shapes={"y": (2, 7)})
    assert found == {"x": (5, 3), "y": (2, 7)}


def test_names_without_meaning_tell_nothing_of_other_inputs() -> None:
    text = refusal({"x": ["?", "?"], "y": [1, "?"]}, shapes={"x": (2, 3)})
    assert text == (
        "input 'y': the size of dimension 1 is dynamic: give its sizes by --shape "
        "'y=1x<size>' (shapes=... in Python)"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"shapes": {"z": (1,)}}, "has no input 'z'; its inputs are 'x'"),
        ({"constants": {"z": 1}}, "has no input 'z'; its inputs are 'x'"),
        ({"shapes": {"x": (1, 0, 4)}}, "input 'x': a size of 1x0x4 is below 1"),
        (
            {"shapes": {"x": (1, 4, 4)}},
            "input 'x' is 1x3x<w>, which 1x4x4 does not fit: sizes that the file fixes stay",
        ),
        (
            {"shapes": {"x": (1, 3)}},
            "input 'x' is 1x3x<w>, which 1x3 does not fit: sizes that the file fixes stay",
        ),
        (
            {"shapes": {"x": (1, 3, 4)}, "batch": 2},
            "no input takes a batch of 2, with the shapes given: leave --batch out, and give it in "
            "--shape",
        ),
    ],
)
def test_contradictions(choices: dict[str, Any], message: str) -> None:
    assert refusal({"x": ["n", 3, "w"]}, **choices) == message


def test_constants_are_no_inputs() -> None:
    graph = graph_of({"x": ["n"], "rate": [], "sizes": ["k"], "pair": [2]}, INT64)
    values = {"rate": 16000, "sizes": np.array([3, 4]), "pair": 7}
    fix_inputs(graph, InputChoices(constants=values))
    assert [value.name for value in graph.inputs] == ["x"]
    found = {name: (value.dtype, value.tolist()) for name, value in graph.constants.items()}
    int64 = np.dtype("int64")
    assert found == {"rate": (int64, 16000), "sizes": (int64, [3, 4]), "pair": (int64, [7, 7])}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "input 'x' is int64, which 1.5 is not"),
        (2**70, f"input 'x': {2**70} is no number: give one of int64"),
        ("many", "input 'x': 'many' is no number: give one of int64"),
        (np.ones(3), "input 'x' is of shape 2, and its constant of 3"),
    ],
)
def test_constants_that_do_not_fit(value: Any, message: str) -> None:
    choices = {"shapes": {"x": (2,)}, "constants": {"x": value}}
    assert refusal({"x": [2]}, INT64, **choices) == message


def test_no_tensor() -> None:
    graph = graph_of({})
    graph.inputs.append(onnx.ValueInfoProto(name="s"))
    with pytest.raises(NiwakiError, match="input 's' is no tensor: make it one"):
        fix_inputs(graph, InputChoices())

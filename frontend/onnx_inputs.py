"""Fixed sizes for a graph's inputs, and values for those that the user makes constants.

image: batch x 3 x height x width   --shape image=1x3x320x320   -->   image: 1x3x320x320
rate: a scalar                      --constant rate=16000       -->   a constant
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.input_sizes import Declared, fixed_sizes, shape_text
from niwaki.frontend.onnx_graph import Array, OnnxGraph, TensorType, type_name
from niwaki.frontend.onnx_rules import check_type


def fix_inputs(graph: OnnxGraph, choices: InputChoices) -> None:
    """Set `graph.types` of the inputs, and `graph.constants` of those that become constants.

    Raises:
        NiwakiError: a dimension is open still, a choice contradicts the file, or an input is no
            tensor or of a type that is not supported.
    """
    choices.check(str(graph.path), [value.name for value in graph.inputs])
    for value in graph.inputs:
        if value.type.WhichOneof("value") != "tensor_type":
            raise NiwakiError(f"{graph.path}: input {value.name!r} is no tensor: make it one")
    declared = {value.name: _declared(value) for value in graph.inputs}
    shapes = fixed_sizes(f"{graph.path}: ", declared, choices)
    for value in graph.inputs:
        what = f"{graph.path}: input {value.name!r}"
        type_ = TensorType(value.type.tensor_type.elem_type, shapes[value.name])
        check_type(what, type_)
        if value.name in choices.constants:
            graph.constants[value.name] = _constant(what, choices.constants[value.name], type_)
        else:
            graph.types[value.name] = type_
    graph.inputs = [value for value in graph.inputs if value.name in graph.types]


def _declared(value: onnx.ValueInfoProto) -> Declared | None:
    """Sizes and names of the dimensions; some exporters write an open one as 0 or -1.

    PaddlePaddle calls dimensions "?" that have nothing to do with one another.
    """
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [
        size.dim_value if size.dim_value > 0 else size.dim_param.strip("?")
        for size in tensor.shape.dim
    ]


def _constant(what: str, value: Any, type_: TensorType) -> Array:
    """`value` as an array of `type_`; a number stands for as many as there are elements."""
    dtype = onnx.helper.tensor_dtype_to_np_dtype(type_.element)
    try:
        given = np.asarray(value)
        array = given.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise NiwakiError(f"{what}: {value!r} is no number: give one of {dtype}") from error
    if dtype.kind != "f" and not np.array_equal(array, given):
        raise NiwakiError(f"{what} is {type_name(type_.element)}, which {value!r} is not")
    if array.shape not in ((), type_.shape):
        raise NiwakiError(
            f"{what} is of shape {shape_text(type_.shape)}, and its constant of "
            f"{shape_text(array.shape)}"
        )
    return np.broadcast_to(array, type_.shape).copy()

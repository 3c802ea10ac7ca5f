"""Fixed sizes for a graph's inputs, and values for those that the user makes constants.

image: batch x 3 x height x width   --batch 8 --shape image=1x3x320x320   -->   image: 1x3x320x320
rate: a scalar                      --constant rate=16000                 -->   a constant
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.onnx_graph import Array, OnnxGraph, TensorType, type_name
from niwaki.frontend.onnx_rules import check_type


def fix_inputs(graph: OnnxGraph, choices: InputChoices) -> None:
    """Set `graph.types` of the inputs, and `graph.constants` of those that become constants.

    A size is the file's, or the one given for the input, or for another input with a dimension of
    that name. A first dimension is else `choices.batch`, or 1 for None.

    Raises:
        NiwakiError: a dimension is open still, a choice contradicts the file, or an input is no
            tensor or of a type that is not supported.
    """
    choices.check(str(graph.path), [value.name for value in graph.inputs])
    sizes = _InputSizes(graph, choices)
    for value in graph.inputs:
        what = f"{graph.path}: input {value.name!r}"
        if value.type.WhichOneof("value") != "tensor_type":
            raise NiwakiError(f"{what} is no tensor: make it one")
        type_ = TensorType(value.type.tensor_type.elem_type, sizes.shape(what, value))
        check_type(what, type_)
        if value.name in choices.constants:
            graph.constants[value.name] = _constant(what, choices.constants[value.name], type_)
        else:
            graph.types[value.name] = type_
    graph.inputs = [value for value in graph.inputs if value.name in graph.types]
    sizes.check_batch()


class _InputSizes:
    """The sizes of a graph's inputs, and whether any of them is the batch's."""

    def __init__(self, graph: OnnxGraph, choices: InputChoices) -> None:
        self.graph, self.batch = graph, choices.batch
        self.is_batch_used = False
        values = {name: np.shape(value) for name, value in choices.constants.items()}
        self.given = {name: shape for name, shape in values.items() if shape} | {
            name: tuple(shape) for name, shape in choices.shapes.items()
        }
        firsts = [_dimension_names(value)[:1] for value in graph.inputs]
        self.batch_names = {name for names in firsts for name in names if name}
        self.named = self._named()

    def _named(self) -> dict[str, int]:
        """Sizes of named dimensions, from the shapes that are given; without contradictory ones."""
        found: dict[str, set[int]] = {}
        for value in self.graph.inputs:
            names = _dimension_names(value)
            for name, size in zip(names, self.given.get(value.name, ()), strict=False):
                found.setdefault(name, set()).add(size)
        return {name: sizes.pop() for name, sizes in found.items() if name and len(sizes) == 1}

    def shape(self, what: str, value: onnx.ValueInfoProto) -> tuple[int, ...]:
        tensor = value.type.tensor_type
        given = self.given.get(value.name)
        if not tensor.HasField("shape"):
            if given is None:
                raise NiwakiError(f"{what} has no shape: give it by --shape {value.name}=SIZExSIZE")
            return given
        declared = [size.dim_value for size in tensor.shape.dim]
        if given is not None:
            fits = [size in (0, -1, wanted) for size, wanted in zip(declared, given, strict=False)]
            if len(given) != len(declared) or not all(fits):
                raise NiwakiError(
                    f"{what} is {self._template(value)}, which {_text(given)} does not fit: sizes "
                    "that the file fixes stay"
                )
            return given
        return tuple(
            size if size > 0 else self._open_size(what, value, number)
            for number, size in enumerate(declared)
        )

    def _open_size(self, what: str, value: onnx.ValueInfoProto, number: int) -> int:
        name = _dimension_names(value)[number]
        if name in self.named:
            return self.named[name]
        if number == 0 or name in self.batch_names:
            self.is_batch_used = True
            return self.batch or 1
        called = f" ({name!r})" if name else ""
        raise NiwakiError(
            f"{what}: the size of dimension {number}{called} is dynamic: give its sizes by --shape "
            f"'{value.name}={self._template(value)}' (shapes=... in Python)"
        )

    def _template(self, value: onnx.ValueInfoProto) -> str:
        """``1x3x<height>x<width>``"""
        names = _dimension_names(value)
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
        return "x".join(
            str(size) if size > 0 else "1" if number == 0 else f"<{name or 'size'}>"
            for number, (size, name) in enumerate(zip(sizes, names, strict=True))
        )

    def check_batch(self) -> None:
        """Refuse a batch for which no input has a dimension."""
        shapes = [self.graph.types[value.name].shape for value in self.graph.inputs]
        if self.batch is None or self.is_batch_used:
            return
        if all(shape[:1] == (self.batch,) for shape in shapes):
            return
        if self.given:
            raise NiwakiError(
                f"{self.graph.path}: no input takes a batch of {self.batch}, with the shapes given"
                ": leave --batch out, and give it in --shape"
            )
        raise NiwakiError(
            f"{self.graph.path}: the batch is fixed: export the model for {self.batch} inputs, or "
            "with a symbolic first dimension (dynamic_axes or dynamic_shapes of torch.onnx.export)"
        )


def _dimension_names(value: onnx.ValueInfoProto) -> list[str]:
    """Names of the dimensions, empty where they have a number or none.

    PaddlePaddle calls dimensions "?" that have nothing to do with one another.
    """
    return [size.dim_param.strip("?") for size in value.type.tensor_type.shape.dim]


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a scalar"


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
            f"{what} is of shape {_text(type_.shape)}, and its constant of {_text(array.shape)}"
        )
    return np.broadcast_to(array, type_.shape).copy()

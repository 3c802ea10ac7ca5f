"""Fixed sizes for a graph's inputs: a batch that was left open is chosen, nothing else may be.

image: batch x 3 x 224 x 224   --batch 8   -->   image: 8 x 3 x 224 x 224
"""

from __future__ import annotations

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import OnnxGraph, TensorType
from niwaki.frontend.onnx_rules import check_type


def fix_inputs(graph: OnnxGraph, batch: int | None) -> None:
    """Set `graph.types` of the inputs. A symbolic first dimension becomes `batch`, or 1 for None.

    Raises:
        NiwakiError: another dimension is symbolic, the batch is fixed at another number, or an
            input is no tensor or of a type that is not supported.
    """
    if batch is not None and batch < 1:
        raise NiwakiError(f"a batch has at least 1 input, not {batch}")
    symbols = {_symbol(value) for value in graph.inputs} - {""}
    open_batch = False
    for value in graph.inputs:
        what = f"{graph.path}: input {value.name!r}"
        if value.type.WhichOneof("value") != "tensor_type":
            raise NiwakiError(f"{what} is no tensor: make it one")
        tensor = value.type.tensor_type
        if not tensor.HasField("shape"):
            raise NiwakiError(f"{what} has no shape: export the model with fixed sizes")
        shape = []
        for number, size in enumerate(tensor.shape.dim):
            if size.dim_value > 0:
                shape.append(size.dim_value)
            elif number == 0 or size.dim_param in symbols:
                open_batch = True
                shape.append(batch or 1)
            else:
                called = f" ({size.dim_param!r})" if size.dim_param else ""
                raise NiwakiError(
                    f"{what}: the size of dimension {number}{called} is dynamic: export the model "
                    "with a fixed size, or set it by onnx.tools.update_model_dims"
                )
        graph.types[value.name] = TensorType(tensor.elem_type, tuple(shape))
        check_type(what, graph.types[value.name])
    if batch is not None and not open_batch and not _has_batch(graph, batch):
        raise NiwakiError(
            f"{graph.path}: the batch is fixed: export the model for {batch} inputs, or with a "
            "symbolic first dimension (dynamic_axes or dynamic_shapes of torch.onnx.export)"
        )


def _symbol(value: onnx.ValueInfoProto) -> str:
    """Name of the first dimension, empty where it has a number or none."""
    sizes = value.type.tensor_type.shape.dim
    return sizes[0].dim_param if sizes else ""


def _has_batch(graph: OnnxGraph, batch: int) -> bool:
    """Whether all inputs are of `batch` anyway."""
    return all(graph.types[value.name].shape[:1] == (batch,) for value in graph.inputs)

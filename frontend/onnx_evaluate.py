"""Computing a node when compiling, where its inputs are constants or only their shapes matter."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from niwaki.frontend.onnx_graph import Array, OnnxGraph, TensorType, attribute

# A result larger than its inputs is kept as code, unless it is small anyway.
_SMALL = 1 << 20

# Whose lengths, bounds and activations ONNX's own implementation ignores.
_WRONG = ("GRU", "LSTM", "RNN")


def evaluate(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> dict[str, Array] | None:
    """The results of `node`, which is of `opset`, by name, where they are constant and worth it."""
    if node.op_type in ("Shape", "Size") and node.input[0] in graph.types:
        return {node.output[0]: _of_shape(node, graph.types[node.input[0]].shape)}
    inputs = [name for name in node.input if name]
    constants = {name: graph.constants[name] for name in inputs if name in graph.constants}
    feeds = dict(constants)
    if node.op_type == "EyeLike":  # its input's values do not matter
        feeds |= {name: _zeros(graph.types[name]) for name in inputs if name in graph.types}
    if not feeds.keys() >= set(inputs) or node.op_type in _WRONG:
        return None
    try:
        results = _evaluator(node, opset).run(None, feeds)
    except Exception:  # what ONNX's own implementation does not do may be done at run time
        return None
    if not all(isinstance(result, (np.ndarray, np.generic)) for result in results):
        return None  # a sequence
    arrays = [np.asarray(result) for result in results]
    size = sum(value.size for value in constants.values())
    if any(array.size > max(size, _SMALL) for array in arrays):
        return None
    return dict(zip(filter(None, node.output), arrays, strict=True))


def _zeros(type_: TensorType) -> Array:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(type_.element)
    return np.broadcast_to(np.zeros((), dtype), type_.shape)


def _of_shape(node: onnx.NodeProto, shape: tuple[int, ...]) -> Array:
    if node.op_type == "Size":
        return np.array(math.prod(shape), np.int64)
    part = slice(attribute(node, "start", 0), attribute(node, "end", None))
    return np.array(shape[part], np.int64)


def _evaluator(node: onnx.NodeProto, opset: int) -> ReferenceEvaluator:
    """Of a model of one node: alone, a node would be taken for one of the newest opset."""
    inputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(node.input) if name]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "constant", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", opset)],
    )
    return ReferenceEvaluator(model)

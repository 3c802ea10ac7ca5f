"""Walk a graph once: compute what depends on constants and shapes alone, type everything else.

    Reshape(x, Concat(Gather(Shape(x), 0), [-1]))   -->   Reshape(x, [1, 512])
    Conv(x, Mul(weight, mask))                      -->   Conv(x, masked_weight)

Exporters write sizes as code, and passes after the import know a layer by its constant weights.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_branches import straightened
from niwaki.frontend.onnx_decompositions import decompose_node
from niwaki.frontend.onnx_graph import Array, OnnxGraph, TensorType, attribute, describe

# A result larger than its inputs is kept as code, unless it is small anyway.
_SMALL = 1 << 20

# The values of constants up to this size are shown to shape inference: axes, sizes, scales.
_PARAMETERS = 64

# Of these ONNX knows no shape, as they are defined by other ops: it is their input's.
_SAME_TYPE = ("GroupNormalization", "MeanVarianceNormalization")


def resolve(graph: OnnxGraph) -> None:
    """Fold constants in `graph`, and set `graph.types` of all that is left.

    Raises:
        NiwakiError: a node does not fit its inputs, or the size of its result is open.
    """
    kept = []
    for node in straightened(graph):
        for part in decompose_node(graph, node):
            if (values := _fold(graph, part)) is not None:
                graph.constants.update(zip(part.output, values, strict=False))
            else:
                graph.types.update(_infer(graph, part))
                kept.append(part)
    graph.nodes = kept
    graph.remove_unused()


def _fold(graph: OnnxGraph, node: onnx.NodeProto) -> list[Array] | None:
    """The node's results, where they are constant and worth it."""
    if node.op_type == "Shape" and node.input[0] in graph.types:
        shape = graph.types[node.input[0]].shape
        part = slice(attribute(node, "start", 0), attribute(node, "end", None))
        return [np.array(shape[part], np.int64)]
    if node.op_type == "Size" and node.input[0] in graph.types:
        return [np.array(math.prod(graph.types[node.input[0]].shape), np.int64)]
    inputs = [name for name in node.input if name]
    if not all(name in graph.constants for name in inputs):
        return None
    feeds = {name: graph.constants[name] for name in inputs}
    try:
        results = _evaluator(graph, node).run(None, feeds)
    except Exception:  # what ONNX's own implementation does not do may be done at run time
        return None
    arrays = [np.asarray(result) for result in results]
    size = sum(value.size for value in feeds.values())
    return None if any(array.size > max(size, _SMALL) for array in arrays) else arrays


def _evaluator(graph: OnnxGraph, node: onnx.NodeProto) -> ReferenceEvaluator:
    """Of a model of one node: alone, a node would be taken for one of the newest opset."""
    inputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(node.input) if name]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "constant", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", graph.imported_opset)],
    )
    return ReferenceEvaluator(model)


def _infer(graph: OnnxGraph, node: onnx.NodeProto) -> dict[str, TensorType]:
    """Types of the node's results."""
    if node.op_type in _SAME_TYPE:
        return {node.output[0]: graph.type_of(node.input[0])}
    inputs = [name for name in node.input if name]
    types = {name: onnx.helper.make_tensor_type_proto(*graph.type_of(name)) for name in inputs}
    parameters = {
        name: onnx.numpy_helper.from_array(graph.constants[name], name)
        for name in inputs
        if name in graph.constants and graph.constants[name].size <= _PARAMETERS
    }
    what = f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset})"
    try:
        inferred = onnx.shape_inference.infer_node_outputs(
            onnx.defs.get_schema(node.op_type, graph.imported_opset),
            node,
            types,
            parameters,
            opset_imports=[onnx.helper.make_opsetid("", graph.imported_opset)],
        )
    except Exception as error:  # ONNX raises RuntimeError, and its own errors
        reason = " ".join(str(error).split())[:200]
        raise NiwakiError(f"{what} does not fit its inputs: {reason}") from error
    found = {}
    for name in filter(None, node.output):
        tensor = inferred[name].tensor_type if name in inferred else onnx.TypeProto.Tensor()
        sizes = [size.dim_value for size in tensor.shape.dim if size.HasField("dim_value")]
        if not tensor.HasField("shape") or len(sizes) < len(tensor.shape.dim):
            raise NiwakiError(
                f"{what}: the size of its result {name!r} depends on the data or is not known: use "
                "ops whose results have fixed sizes, such as Where"
            )
        found[name] = TensorType(tensor.elem_type, tuple(sizes))
    if node.op_type == "Reshape":
        _check_reshape(what, graph.type_of(node.input[0]).shape, found[node.output[0]].shape)
    return found


def _check_reshape(what: str, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """ONNX's inference trusts a Reshape; one with a batch in its numbers fits no other batch."""
    if math.prod(before) != math.prod(after):
        raise NiwakiError(
            f"{what} makes {list(after)} of {list(before)}, which has another number of elements: "
            "the model may be exported for a fixed batch"
        )

"""Walk a graph once: compute what depends on constants and shapes alone, type everything else.

    Reshape(x, Concat(Gather(Shape(x), 0), [-1]))   -->   Reshape(x, [1, 512])
    Conv(x, Mul(weight, mask))                      -->   Conv(x, masked_weight)

Exporters write sizes as code, and passes after the import know a layer by its constant weights.
"""

from __future__ import annotations

import math

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_choices import check_words
from niwaki.frontend.onnx_decompositions import decompose_node
from niwaki.frontend.onnx_evaluate import evaluate
from niwaki.frontend.onnx_graph import DOMAIN, IMPORTED_AS, OnnxGraph, TensorType, describe
from niwaki.frontend.onnx_lists import make_lists
from niwaki.frontend.onnx_options import check_options
from niwaki.frontend.onnx_rules import NEWEST
from niwaki.frontend.onnx_straightened import straightened

# The values of constants up to this size are shown to shape inference: axes, sizes, scales.
_PARAMETERS = 64

# Of these ONNX knows no shape, as they are defined by other ops: it is their input's.
_SAME_TYPE = ("GroupNormalization", "MeanVarianceNormalization")


def resolve(graph: OnnxGraph) -> None:
    """Fold constants in `graph`, and set `graph.types` of all that is left.

    Raises:
        NiwakiError: a node has an option that is not supported or does not fit its inputs, or the
            size of its result is open.
    """
    kept: list[onnx.NodeProto] = []
    for node in straightened(graph, resolve):
        _resolve_node(graph, node, graph.opset, kept)
    graph.nodes = kept
    graph.remove_unused()


def _resolve_node(
    graph: OnnxGraph, node: onnx.NodeProto, opset: int, kept: list[onnx.NodeProto]
) -> None:
    """Add what is left of `node`, which is of `opset`, to `kept`."""
    if node.domain == DOMAIN:  # an op of ours, made by a rule that knows its types
        kept.append(node)
        return
    make_lists(graph, node)
    if (values := evaluate(graph, node, opset)) is not None:
        graph.constants.update(values)
        return
    check_options(graph, node, opset)
    check_words(graph, node)
    if node.op_type not in _SAME_TYPE:
        _inferred(graph, node, opset)  # rules take nodes apart that fit
    parts, parts_opset = decompose_node(graph, node, opset)
    if not parts:
        graph.types.update(_infer(graph, node))
        kept.append(node)
    for part in parts:
        _resolve_node(graph, part, parts_opset, kept)


def _inferred(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> dict[str, onnx.TypeProto]:
    """What ONNX infers of the results of `node`, which is of `opset`; refuse one that does not fit
    its inputs."""
    inputs = [name for name in node.input if name]
    types = {name: onnx.helper.make_tensor_type_proto(*graph.type_of(name)) for name in inputs}
    parameters = {
        name: onnx.numpy_helper.from_array(graph.constants[name], name)
        for name in inputs
        if name in graph.constants and graph.constants[name].size <= _PARAMETERS
    }
    try:
        inferred: dict[str, onnx.TypeProto] = onnx.shape_inference.infer_node_outputs(
            onnx.defs.get_schema(node.op_type, opset),
            node,
            types,
            parameters,
            opset_imports=[onnx.helper.make_opsetid("", opset)],
        )
    except Exception as error:  # ONNX raises RuntimeError, and its own errors
        reason = " ".join(str(error).split())[:200]
        raise NiwakiError(f"{_what(graph, node)} does not fit its inputs: {reason}") from error
    for name, type_ in inferred.items():  # ONNX ends the process where it meets such a type again
        sizes = [size.dim_value for size in type_.tensor_type.shape.dim]
        if min(sizes, default=0) < 0:
            raise NiwakiError(
                f"{_what(graph, node)}: its result {name!r} would have sizes of {sizes}"
            )
    return inferred


def _what(graph: OnnxGraph, node: onnx.NodeProto) -> str:
    return f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset})"


def _infer(graph: OnnxGraph, node: onnx.NodeProto) -> dict[str, TensorType]:
    """Types of the node's results."""
    if node.op_type in _SAME_TYPE:
        return {node.output[0]: graph.type_of(node.input[0])}
    opset = IMPORTED_AS if onnx.defs.has(node.op_type, IMPORTED_AS) else NEWEST
    inferred, what, found = _inferred(graph, node, opset), _what(graph, node), {}
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

"""ONNX nodes that compute with bytes in 32 bits, as torch-mlir has most ops for signed bytes alone.

y = TopK(x: uint8)      -->      y = Cast(TopK(Cast(x: uint8, int32)), uint8)
y = MaxPool(x: int8)    -->      the same in float32, which MaxPool has and holds all bytes
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_steps import Steps

Kind = onnx.TensorProto

_BYTES = (Kind.INT8, Kind.UINT8)
_WIDE = (Kind.INT32, Kind.FLOAT)
# They only move elements, or have rules for each type.
_AS_THEY_ARE = frozenset(
    (
        "BitCast", "BitShift", "Cast", "CastLike", "CenterCropPad", "Concat", "ConstantOfShape",
        "DepthToSpace", "DequantizeLinear", "Expand", "EyeLike", "Flatten", "Gather",
        "GatherElements", "GatherND", "Identity", "OneHot", "Pad", "Reshape", "Resize", "Scan",
        "Scatter", "Slice", "SpaceToDepth", "Split", "Squeeze", "TensorScatter", "Tile",
        "Transpose", "Trilu", "Unsqueeze", "Where",
    )
)  # fmt: skip


def in_wide_type(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """The nodes that compute `node` in a wider type; none where it stays as it is."""
    if node.op_type in _AS_THEY_ARE:
        return []
    schema = onnx.defs.get_schema(node.op_type, opset)
    kinds = dict(_byte_types(graph, node, schema))
    wide = {name: _wider(schema, name) for name in kinds}
    if not kinds or not all(wide.values()):
        return []
    steps = Steps(graph, node)
    made = onnx.NodeProto()
    made.CopyFrom(node)
    for number, value in enumerate(node.input):
        formal = _formal(schema.inputs, number).type_str
        if value and formal in kinds:
            made.input[number] = steps.op("Cast", value, to=wide[formal])
    steps.nodes.append(made)
    for number, value in enumerate(node.output):
        formal = _formal(schema.outputs, number).type_str
        if value and formal in kinds:
            made.output[number] = f"{value}::wide"
            steps.op("Cast", made.output[number], to=kinds[formal])
            steps.nodes[-1].output[0] = value
    return steps.nodes


def _byte_types(
    graph: OnnxGraph, node: onnx.NodeProto, schema: onnx.defs.OpSchema
) -> Iterator[tuple[str, int]]:
    """Names of the types that are bytes in `node`, and which."""
    for number, value in enumerate(node.input):
        if value and graph.type_of(value).element in _BYTES:
            yield _formal(schema.inputs, number).type_str, graph.type_of(value).element


def _wider(schema: onnx.defs.OpSchema, name: str) -> int:
    """A type that holds bytes, of those that the op may have; 0 where there is none."""
    allowed = next(c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == name)
    names = {Kind.INT32: "tensor(int32)", Kind.FLOAT: "tensor(float)"}
    return next((kind for kind in _WIDE if names[kind] in allowed), 0)


def _formal(
    parameters: list[onnx.defs.OpSchema.FormalParameter], number: int
) -> onnx.defs.OpSchema.FormalParameter:
    """The last one stands for all that follow."""
    return parameters[min(number, len(parameters) - 1)]

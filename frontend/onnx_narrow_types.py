"""ONNX nodes that compute in another type of integers, as torch-mlir has few types for most ops.

y = TopK(x: uint8)      -->      y = Cast(TopK(Cast(x: uint8, int32)), uint8)
y = MaxPool(x: int8)    -->      the same in float32, which MaxPool has and holds all bytes
y = Add(x: uint32)      -->      y = Cast(Add(Cast(x: uint32, int32)), uint32), of the same bits

What is cut off at the end is what wraps around. `onnx_unsigned.py` says where the first of the bits
matters.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.onnx_unsigned import SIGNED, flipped, is_by_order, rewritten

Kind = onnx.TensorProto

_BYTES = (Kind.INT8, Kind.UINT8)
# Types that hold all numbers of one, or all its bits.
_WIDE = {kind: (Kind.INT32, Kind.FLOAT) for kind in (*_BYTES, Kind.INT16, Kind.UINT16)} | {
    kind: (signed,) for kind, signed in SIGNED.items()
}
_NAMES = {
    Kind.INT32: "tensor(int32)",
    Kind.INT64: "tensor(int64)",
    Kind.FLOAT: "tensor(float)",
}
# They have rules for each type.
_OF_ALL_TYPES = frozenset(
    ("BitCast", "BitShift", "Cast", "CastLike", "ConstantOfShape", "Identity", "Pow", "Scan")
)
# They only move elements, which torch-mlir does with bytes that are computed.
_MOVES = frozenset(
    (
        "CenterCropPad", "Concat", "DepthToSpace", "DequantizeLinear", "Expand", "EyeLike",
        "Flatten", "Gather", "GatherElements", "GatherND", "OneHot", "Pad", "Reshape", "Resize",
        "Scatter", "Slice", "SpaceToDepth", "Split", "Squeeze", "TensorScatter", "Tile",
        "Transpose", "Trilu", "Unsqueeze", "Where",
    )
)  # fmt: skip


def in_wide_type(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """The nodes that compute `node` in another type; none where it stays as it is.

    Raises:
        NiwakiError: it computes with unsigned numbers what their bits as signed ones do not tell.
    """
    if node.op_type in _OF_ALL_TYPES:
        return []
    schema = onnx.defs.get_schema(node.op_type, opset)
    kinds = dict(_narrow_types(graph, node, schema))
    if node.op_type in _MOVES and not any(map(graph.is_unsigned_constant, node.input)):
        kinds = {name: kind for name, kind in kinds.items() if kind not in _BYTES}
    wide = {name: _wider(schema, name, kind) for name, kind in kinds.items()}
    steps = Steps(graph, node)
    flips = False
    if unsigned := [kind for kind in kinds.values() if kind in SIGNED]:
        if rewritten(steps, unsigned[0]):
            return steps.finished()
        flips = is_by_order(steps, unsigned[0])
    if not kinds or not all(wide.values()):
        return []
    made = onnx.NodeProto()
    made.CopyFrom(node)
    for number, value in enumerate(node.input):
        formal = _formal(schema.inputs, number).type_str
        if value and formal in kinds:
            made.input[number] = steps.op("Cast", value, to=wide[formal])
            if flips:
                made.input[number] = flipped(steps, made.input[number], wide[formal])
    steps.nodes.append(made)
    for number, value in enumerate(node.output):
        formal = _formal(schema.outputs, number).type_str
        if value and formal in kinds:
            result = made.output[number] = f"{value}::wide"
            if flips:
                result = flipped(steps, result, wide[formal])
            steps.op("Cast", result, to=kinds[formal])
            steps.nodes[-1].output[0] = value
    return steps.nodes


def _narrow_types(
    graph: OnnxGraph, node: onnx.NodeProto, schema: onnx.defs.OpSchema
) -> Iterator[tuple[str, int]]:
    """Names of the types that are narrow or unsigned in `node`, and which they are."""
    for number, value in enumerate(node.input):
        if value and graph.type_of(value).element in _WIDE:
            yield _formal(schema.inputs, number).type_str, graph.type_of(value).element


def _wider(schema: onnx.defs.OpSchema, name: str, kind: int) -> int:
    """A type that holds `kind`, of those that the op may have; 0 where there is none."""
    allowed = next(c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == name)
    return next((wide for wide in _WIDE[kind] if _NAMES[wide] in allowed), 0)


def _formal(
    parameters: list[onnx.defs.OpSchema.FormalParameter], number: int
) -> onnx.defs.OpSchema.FormalParameter:
    """The last one stands for all that follow."""
    return parameters[min(number, len(parameters) - 1)]

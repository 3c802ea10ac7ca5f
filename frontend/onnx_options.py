"""Refusing ONNX ops, inputs and attributes that would otherwise be ignored."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_capabilities import ACCEPTED, REFUSED
from niwaki.frontend.onnx_graph import OnnxGraph, describe


def check_options(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> None:
    """Refuse `node`, which is of `opset`, if it or one of its options is not compiled.

    Raises:
        NiwakiError: the message names the node, the op, the option and the remedy.
    """
    what = f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset})"
    if node.op_type not in ACCEPTED:
        reason = REFUSED.get(node.op_type, "is not supported: write it with other ops")
        raise NiwakiError(f"{what} {reason}")
    options, schema = ACCEPTED[node.op_type], onnx.defs.get_schema(node.op_type, opset)
    inputs = dict(_named_inputs(node, schema))
    for kind, names in (("input", inputs), ("attribute", {a.name: a for a in node.attribute})):
        for name in names:
            if name not in options or (kind == "attribute" and name not in schema.attributes):
                raise NiwakiError(
                    f"{what}: its {kind} {name!r} is not supported: export the model without it"
                )
    for name, value in inputs.items():
        if name in options.known_when_compiling and value not in graph.constants:
            raise NiwakiError(
                f"{what}: its input {name!r} is computed when the network runs, and decides a size "
                "or an axis: make it a constant"
            )


def _named_inputs(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> Iterator[tuple[str, str]]:
    """What the op calls each input that the node has, and the value's name."""
    for number, value in enumerate(node.input):
        if value:
            yield schema.inputs[min(number, len(schema.inputs) - 1)].name, value

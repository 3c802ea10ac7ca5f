"""Ops that ONNX defines by other ops, as it defines them.

RMSNormalization(x, scale)   -->   Mul(Div(x, Sqrt(Add(ReduceMean(Mul(x, x)), epsilon))), scale)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import onnx
from onnx import helper

from niwaki.frontend.onnx_branches import rename_inputs
from niwaki.frontend.onnx_graph import OnnxGraph


def definition(
    graph: OnnxGraph, node: onnx.NodeProto, opset: int
) -> tuple[list[onnx.NodeProto], int]:
    """The nodes that define `node`, which is of `opset`, and their opset; none where ONNX has none.

    Some definitions depend on the types of the inputs, or on which of them there are.
    """
    schema = onnx.defs.get_schema(node.op_type, opset)
    if schema.has_function:
        function = schema.function_body
    elif schema.has_context_dependent_function:
        types = [_type(graph, name) for name in node.input]
        version = max(v for v in schema.context_dependent_function_opset_versions if v <= opset)
        encoded = schema.get_context_dependent_function_with_opset_version(
            version, node.SerializeToString(), types
        )
        function = onnx.FunctionProto.FromString(encoded)
    else:
        return [], opset
    # The body may ask for an older opset than the op's own, in which it was written.
    return _call(node, function, schema), function.opset_import[0].version


def _type(graph: OnnxGraph, name: str) -> bytes:
    made = helper.make_tensor_type_proto(*graph.type_of(name)) if name else onnx.TypeProto()
    return bytes(made.SerializeToString())


def _call(
    node: onnx.NodeProto, function: onnx.FunctionProto, schema: onnx.defs.OpSchema
) -> list[onnx.NodeProto]:
    """The body of `function` for the arguments of `node`; values within get names of their own."""
    names = dict(zip_longest(function.input, node.input[: len(function.input)], fillvalue=""))
    outputs = zip(function.output, node.output, strict=False)
    names |= {formal: name for formal, name in outputs if name}
    defaults = {name: item.default_value for name, item in schema.attributes.items()}
    given = {name: value for name, value in defaults.items() if value.name}
    given |= {item.name: item for item in node.attribute}
    parts = []
    for original in function.node:
        part = onnx.NodeProto()
        part.CopyFrom(original)
        part.name = node.name
        part.metadata_props.extend(node.metadata_props)
        names |= {name: f"{node.output[0]}::{name}" for name in part.output if name not in names}
        rename_inputs(part, names)
        part.output[:] = [names[name] if name else "" for name in part.output]
        attributes = list(_bound(part, given))
        del part.attribute[:]
        part.attribute.extend(attributes)
        parts.append(part)
    return parts


def _bound(
    node: onnx.NodeProto, given: dict[str, onnx.AttributeProto]
) -> Iterator[onnx.AttributeProto]:
    """The attributes of a body's node: its own, and what others refer to where that is given."""
    for item in node.attribute:
        if not item.ref_attr_name:
            yield item
        elif item.ref_attr_name in given:
            bound = onnx.AttributeProto()
            bound.CopyFrom(given[item.ref_attr_name])
            bound.name = item.name
            yield bound

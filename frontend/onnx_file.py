"""Reading .onnx files: what is in them, and whether it is an ONNX model that can be compiled.

The weights leave the message at once, and the rest of it is small. Memory holds them twice while
the file is parsed, and once afterwards.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from onnx.inliner import inline_local_functions

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_rules import check_nodes, check_opset


def read_onnx(path: Path) -> OnnxGraph:
    """The graph in file `path`, its nodes and their operator set checked.

    Raises:
        NiwakiError: the file cannot be read, is no ONNX model or damaged, its external data is
            not there, or it has operators that are not supported.
    """
    model = parse_onnx(path)
    version = check_opset(path, model)
    check_nodes(path, model.graph.node, version, {f.name for f in model.functions})
    constants = take_constants(path, model.graph)
    model = _copy(model)  # the old one lets go of the weights' memory only as a whole
    if model.functions:
        model = inline_local_functions(model)
        check_nodes(path, model.graph.node, version, set())
        constants |= take_constants(path, model.graph)  # of the functions
    graph = model.graph
    return OnnxGraph(
        path=path,
        opset=version,
        nodes=list(graph.node),
        inputs=[value for value in graph.input if value.name not in constants],
        outputs=[value.name for value in graph.output],
        constants=constants,
    )


def parse_onnx(path: Path) -> onnx.ModelProto:
    """The message in file `path`.

    Raises:
        NiwakiError: the file cannot be read, is no ONNX model, or is damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        # A model begins with its ir_version, field 1 in protobuf's encoding.
        damage = "is damaged or truncated" if data[:1] == b"\x08" else "is not an ONNX file"
        raise NiwakiError(f"{path}: {damage}: export the model again") from error
    if _has_damaged_text(model):
        raise NiwakiError(f"{path}: is damaged, as text in it is no UTF-8: export the model again")
    if not model.HasField("graph") or not model.opset_import or not model.graph.output:
        raise NiwakiError(f"{path}: is not an ONNX file, or truncated: export the model again")
    return model


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _has_damaged_text(message: Message) -> bool:
    """Whether a string anywhere in `message` is no UTF-8.

    protobuf gives those of type string as bytes then; those of attributes are of type bytes anyway.
    """
    if isinstance(message, onnx.AttributeProto) and not _is_text(message.s, *message.strings):
        return True
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            if isinstance(value, bytes) or any(isinstance(text, bytes) for text in value):
                return True
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            parts = [value] if isinstance(value, Message) else value
            if any(map(_has_damaged_text, parts)):
                return True
    return False


def _is_text(*values: bytes) -> bool:
    try:
        b" ".join(values).decode()
    except UnicodeDecodeError:
        return False
    return True

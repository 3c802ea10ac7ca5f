"""What an ONNX model must be like, each rule with the message that a user gets."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_capabilities import REFUSED
from niwaki.frontend.onnx_graph import (
    OnnxGraph,
    TensorType,
    attribute,
    describe,
    subgraphs,
    type_name,
)
from niwaki.signature import DTYPES

STANDARD_DOMAINS = ("", "ai.onnx")
OLDEST, NEWEST = 7, 28


def check_opset(path: Path, model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators in `model`."""
    versions = [item.version for item in model.opset_import if item.domain in STANDARD_DOMAINS]
    version = max(versions, default=0)
    if not OLDEST <= version <= NEWEST:
        raise NiwakiError(
            f"{path}: is of opset {version}, and opsets {OLDEST} to {NEWEST} are supported: "
            "export it with opset_version=17, or convert it by onnx.version_converter"
        )
    return version


def check_nodes(
    path: Path, nodes: Iterable[onnx.NodeProto], opset: int, functions: Container[str]
) -> None:
    """Refuse what no later step could make sense of; `functions` are those of the file's own."""
    for node in nodes:
        what = f"{path}: {describe(node)}: op {node.op_type!r} (opset {opset})"
        if node.op_type in functions and node.domain not in STANDARD_DOMAINS:
            continue
        is_known = node.op_type in ("If", "Loop", "Scan") and node.domain in STANDARD_DOMAINS
        if next(subgraphs(node), None) is not None and not is_known:
            raise NiwakiError(
                f"{what} runs a part of the model in a loop, which is not supported: unroll it"
            )
        if node.domain not in STANDARD_DOMAINS:
            raise NiwakiError(
                f"{what} is of domain {node.domain!r}, not one of ONNX's own: export the model "
                "without it"
            )
        if (reason := REFUSED.get(node.op_type, "")) and not node.input:
            raise NiwakiError(f"{what} {reason}")
        if not onnx.defs.has(node.op_type, opset):
            later = (v for v in range(opset, NEWEST + 1) if onnx.defs.has(node.op_type, v))
            if first := next(later, 0):  # PyTorch 2.13 asked for 26 to 28 writes 18
                raise NiwakiError(
                    f"{what} came with opset {first}, but the file says {opset}: export it with "
                    f"opset_version={first}, or with 20"
                )
            raise NiwakiError(f"{what} is not in ONNX: use ops of that opset")


def check_inference(graph: OnnxGraph, nodes: Iterable[onnx.NodeProto]) -> None:
    """Refuse batch-norm and dropout among `nodes` of `graph` that are to train."""
    for node in nodes:
        if node.op_type == "BatchNormalization":
            # Until opset 13 more than one output makes the difference, used or not.
            trains = attribute(node, "training_mode", 0) or len(list(filter(None, node.output))) > 1
        elif node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            trains = graph.constants.get(node.input[2], True)
        else:
            continue
        if trains:
            raise NiwakiError(
                f"{graph.path}: {describe(node)} is a {node.op_type} in training mode: call "
                "model.eval() before exporting the model"
            )


def check_computed(graph: OnnxGraph) -> None:
    """Refuse what is left to run time, constants folded, and has types that are not compiled."""
    for node in graph.nodes:
        what = f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset})"
        for name in filter(None, [*node.input, *node.output]):
            check_type(f"{what}: {name!r}", graph.type_of(name))
        if node.op_type == "Gather" and node.input[1] in graph.constants:
            _check_places(what, graph, node)
    for name in graph.outputs:
        check_type(f"{graph.path}: output {name!r}", graph.type_of(name))


def _check_places(what: str, graph: OnnxGraph, node: onnx.NodeProto) -> None:
    """Refuse a place that a dimension has not, such as that of a word behind the last position."""
    size = graph.type_of(node.input[0]).shape[attribute(node, "axis", 0)]
    places = graph.constants[node.input[1]]
    wrong = places[(places < -size) | (places >= size)]
    if wrong.size:
        raise NiwakiError(
            f"{what} takes place {wrong.max()} of {size}: give its inputs other sizes, for which "
            "the model has so many"
        )


def check_type(what: str, type_: TensorType) -> None:
    """Refuse element types that compiled networks do not have."""
    name = type_name(type_.element)
    if name in DTYPES:
        return
    remedy = f"use one of {', '.join(DTYPES)}" if "int" in name else "export the model in float32"
    raise NiwakiError(f"{what} is {name}, which is not supported: {remedy}")

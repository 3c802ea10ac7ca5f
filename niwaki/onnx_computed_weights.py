"""Weights that an ONNX file computes from constants, made constants.

weight_orig, weight_mask -> Mul -> Conv                     -->     weight -> Conv
weight_hh_l0 -> Slice -> Concat -> Unsqueeze -> LSTM        -->     weight -> LSTM

PyTorch's exporters bring the gates of recurrent layers into ONNX's order by nodes, and fold masks
of `torch.nn.utils.prune`, and weight norm, only where weights are small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx

from .frontend.onnx_constants import take_constants
from .frontend.onnx_evaluate import evaluate
from .frontend.onnx_graph import Array, OnnxGraph
from .frontend.onnx_rules import STANDARD_DOMAINS

ORIGINAL = "_orig"  # what `torch.nn.utils.prune` adds to a weight's name
RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomUniform")  # other numbers in each call


def fold_weights(model: onnx.ModelProto, path: Path, labels: Sequence[str]) -> None:
    """Make constants of those `labels` that nodes compute from constants alone, in place.

    Nodes and constants that nothing else reads are taken away; all else stays as it is.
    """
    graph = model.graph
    attributes = [item for node in graph.node for item in node.attribute]
    if any(item.HasField("g") or item.graphs for item in attributes):
        return  # a loop's or condition's own graph may read them by name
    makers = _computed_from_constants(graph)
    nodes = _behind(graph, [label for label in labels if label in makers], makers)
    if not nodes:
        return
    values = _values(model, path, nodes)
    folded: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        if label in makers and label in values:
            folded[label] = _weight_name(graph, label, makers)
            graph.initializer.append(onnx.numpy_helper.from_array(values[label], folded[label]))
    for node in graph.node:
        node.input[:] = [folded.get(name, name) for name in node.input]
    _drop_unused(graph, nodes)


def _computed_from_constants(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """What nodes compute from nothing but constants, and the node of each; constants aside."""
    constants = {"", *(tensor.name for tensor in graph.initializer)}
    makers: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        if node.op_type == "Constant":
            constants.update(node.output)
        elif all(name in constants or name in makers for name in node.input) and not _draws(node):
            makers |= {name: node for name in node.output if name}
    return makers


def _draws(node: onnx.NodeProto) -> bool:
    return node.op_type.removesuffix("Like") in RANDOM


def _behind(
    graph: onnx.GraphProto, labels: Iterable[str], makers: Mapping[str, onnx.NodeProto]
) -> list[onnx.NodeProto]:
    """The nodes that compute these, each behind those that it reads."""
    wanted = set(labels)
    nodes = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            nodes.append(node)
            wanted.update(name for name in node.input if name in makers)
    return nodes[::-1]


def _values(
    model: onnx.ModelProto, path: Path, nodes: Iterable[onnx.NodeProto]
) -> dict[str, Array]:
    """What the nodes compute, by name; what needs ops that cannot be evaluated is not among it."""
    read = {name for node in nodes for name in node.input}
    constants = onnx.GraphProto()
    constants.initializer.extend(x for x in model.graph.initializer if x.name in read)
    constants.node.extend(
        node
        for node in model.graph.node
        if node.op_type == "Constant" and read.intersection(node.output)
    )
    opset = next(x.version for x in model.opset_import if x.domain in STANDARD_DOMAINS)
    graph = OnnxGraph(path, opset, [], [], [], take_constants(path, constants))
    for node in nodes:
        graph.constants |= evaluate(graph, node, opset) or {}
    return graph.constants


def _weight_name(graph: onnx.GraphProto, label: str, makers: Mapping[str, onnx.NodeProto]) -> str:
    """As PyTorch calls a weight of which the file has the original, else as the node does."""
    read = [name for node in _behind(graph, [label], makers) for name in node.input]
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken |= {tensor.name for tensor in graph.initializer}
    names = [name.removesuffix(ORIGINAL) for name in read if name.endswith(ORIGINAL)]
    return next((name for name in names if name not in taken), f"{label}_folded")


def _drop_unused(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """Take away the nodes that nothing reads any more, and constants that only these have read."""
    results = {value.name for value in graph.output}
    dropped: set[str] = set()
    for node in reversed(list(nodes)):
        read = results.union(*(other.input for other in graph.node))
        if read.isdisjoint(node.output):
            dropped.update(node.input)
            graph.node.remove(node)
    read = results.union(*(node.input for node in graph.node))
    read.update(value.name for value in graph.input)
    unused = dropped - read
    kept = [tensor for tensor in graph.initializer if tensor.name not in unused]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        if unused.issuperset(node.output):
            graph.node.remove(node)

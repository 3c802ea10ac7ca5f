"""Conditions that are known when compiling: the branch that is taken, in the place of its `If`.

y = If(Equal(rate, 16000)) { Relu(x) } else { Sigmoid(x) }      rate is the constant 16000
  -->
y = Relu(x)

Others stay branches (`onnx_kept_branches.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_graph import OnnxGraph, attribute, describe, subgraphs
from niwaki.frontend.onnx_rules import check_inference, check_nodes


class Names:
    """Names of values: a branch may have those of another branch, but its place has its own.

    New names are in no branch, so that none there takes them for a value of its own.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        outer = [name for node in graph.nodes for name in node.output]
        self.defined = {*outer, *graph.constants, *graph.types}
        self.mentioned = self.defined | set(_nested_names(graph.nodes))

    def unique(self, name: str) -> str:
        """`name`, or one like it where that is another value's."""
        made, number = name, 0
        while made in (self.mentioned if number else self.defined):
            number += 1
            made = f"{name}_{number}"
        self.defined.add(made)
        self.mentioned.add(made)
        return made


def _nested_names(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """All names in the branches of `nodes`."""
    for body in (body for node in nodes for body in subgraphs(node)):
        yield from own_names(body)
        yield from _nested_names(body.node)


def own_names(body: onnx.GraphProto) -> Iterator[str]:
    """What `body` itself defines."""
    for node in body.node:
        yield from filter(None, node.output)
    yield from (tensor.name for tensor in body.initializer)
    yield from (tensor.values.name for tensor in body.sparse_initializer)


def branches(graph: OnnxGraph, node: onnx.NodeProto) -> tuple[onnx.GraphProto, onnx.GraphProto]:
    """What an If runs where its condition is true, and what elsewhere."""
    found = [attribute(node, name, onnx.GraphProto()) for name in ("then_branch", "else_branch")]
    if not any(node.input) or min(len(branch.output) for branch in found) < len(node.output):
        lacks = "a branch" if any(node.input) else "a condition"
        raise NiwakiError(f"{graph.path}: {describe(node)} lacks {lacks}: the file is damaged")
    yes, no = found
    return yes, no


def taken_branch(graph: OnnxGraph, node: onnx.NodeProto) -> onnx.GraphProto | None:
    """The branch that is run whatever the data is; None if that depends on it."""
    yes, no = branches(graph, node)
    condition = graph.constants.get(node.input[0])
    if condition is None:
        return None
    return yes if condition.all() else no


def inlined(
    graph: OnnxGraph, body: onnx.GraphProto, results: list[str], names: Names
) -> list[onnx.NodeProto]:
    """Nodes that compute `results` as `body` does; its constants become the graph's."""
    constants = take_constants(graph.path, body)
    new = {name: names.unique(name) for name in dict.fromkeys([*constants, *own_names(body)])}
    graph.constants.update((new[name], value) for name, value in constants.items())
    for node in body.node:
        rename_inputs(node, new)
        node.output[:] = [new.get(name, name) for name in node.output]
    check_nodes(graph.path, body.node, graph.opset, ())
    check_inference(graph, body.node)
    made = [
        onnx.helper.make_node("Identity", [new.get(value.name, value.name)], [result])
        for value, result in zip(body.output, results, strict=False)
        if result
    ]
    return [*body.node, *made]


def rename_inputs(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """Replace names of values that `node` reads, in its branches too."""
    node.input[:] = [names.get(name, name) for name in node.input]
    for body in subgraphs(node):
        rename_outer(body, names)


def rename_outer(body: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Replace names of values from outside that `body` reads; its own make room for the new."""
    own = {*own_names(body), *(value.name for value in body.input)}
    new = {name: renamed for name, renamed in names.items() if name not in own}
    new |= {name: f"{name}::own" for name in own.intersection(new.values())}
    for node in body.node:
        rename_inputs(node, new)
        node.output[:] = [new.get(name, name) for name in node.output]
    for tensor in body.initializer:
        tensor.name = new.get(tensor.name, tensor.name)
    for sparse in body.sparse_initializer:
        sparse.values.name = new.get(sparse.values.name, sparse.values.name)
    for value in (*body.input, *body.output):
        value.name = new.get(value.name, value.name)

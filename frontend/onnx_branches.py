"""Conditions that are known when compiling: the branch that is taken, in the place of its `If`.

y = If(Equal(rate, 16000)) { Relu(x) } else { Sigmoid(x) }      rate is the constant 16000
  -->
y = Relu(x)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

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


def taken_branch(
    graph: OnnxGraph, node: onnx.NodeProto, before: Iterable[onnx.NodeProto]
) -> onnx.GraphProto:
    condition = graph.constants.get(node.input[0])
    if condition is None or condition.size != 1:
        raise NiwakiError(
            f"{graph.path}: {describe(node)}: op 'If' (opset {graph.opset}) runs a part of the "
            f"model under a condition that {origin(graph, node.input[0], before)}"
        )
    branch = attribute(node, "then_branch" if condition.all() else "else_branch", None)
    if branch is None or len(branch.output) < len(node.output):
        raise NiwakiError(f"{graph.path}: {describe(node)} lacks a branch: the file is damaged")
    return cast(onnx.GraphProto, branch)


def origin(graph: OnnxGraph, condition: str, before: Iterable[onnx.NodeProto]) -> str:
    """What an unknown condition depends on, and what to do about it."""
    needed = {condition}
    for node in reversed(list(before)):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
    inputs = [value.name for value in graph.inputs if value.name in needed]
    small = [name for name in inputs if math.prod(graph.types[name].shape) == 1]
    if inputs and inputs == small and not graph.is_body:
        fixed = " and ".join(f"--constant {name}=VALUE" for name in inputs)
        return (
            f"depends on input {', '.join(map(repr, inputs))}: fix it by {fixed} (constants=... in "
            "Python)"
        )
    return "depends on the data: compute both sides and choose by Where"


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
        own = {*own_names(body), *(value.name for value in body.input)}
        outer = {name: new for name, new in names.items() if name not in own}
        for inner in body.node:
            rename_inputs(inner, outer)
        for value in body.output:
            value.name = outer.get(value.name, value.name)

"""Conditions that are known when compiling: the branch that is taken, in the place of its `If`.

y = If(Equal(rate, 16000)) { Relu(x) } else { Sigmoid(x) }      rate is the constant 16000
  -->
y = Relu(x)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_graph import OnnxGraph, attribute, describe, subgraphs
from niwaki.frontend.onnx_rules import check_inference, check_nodes


def straightened(graph: OnnxGraph) -> Iterator[onnx.NodeProto]:
    """The nodes of `graph` in order, those of the branches that are taken among them.

    Whoever iterates puts constants that a node computes into `graph.constants` before the next one,
    so that conditions are known where they can be. An Identity only gives its input another name,
    and is left out.

    Raises:
        NiwakiError: a condition is not known, a branch has a node that is not supported, or a node
            reads what there is not.
    """
    outputs, names = set(graph.outputs), _Names(graph)
    renamed: dict[str, str] = {}
    pending, passed = deque(graph.nodes), list[onnx.NodeProto]()
    while pending:
        node = pending.popleft()
        node.input[:] = [renamed.get(name, name) for name in node.input]
        _check_defined(graph, node.input, describe(node))
        if node.op_type == "If":
            branch = _taken_branch(graph, node, passed)
            pending.extendleft(reversed(_inlined(graph, branch, list(node.output), names)))
        elif node.op_type == "Identity" and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            passed.append(node)
            yield node
    _check_defined(graph, graph.outputs, "the model")


def _check_defined(graph: OnnxGraph, names: Iterable[str], reader: str) -> None:
    for name in names:
        if name and name not in graph.constants and name not in graph.types:
            raise NiwakiError(
                f"{graph.path}: {reader} reads {name!r}, which nothing computes before: the file "
                "is damaged"
            )


class _Names:
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
        yield from _own_names(body)
        yield from _nested_names(body.node)


def _own_names(body: onnx.GraphProto) -> Iterator[str]:
    """What `body` itself defines."""
    for node in body.node:
        yield from filter(None, node.output)
    yield from (tensor.name for tensor in body.initializer)
    yield from (tensor.values.name for tensor in body.sparse_initializer)


def _taken_branch(
    graph: OnnxGraph, node: onnx.NodeProto, before: Iterable[onnx.NodeProto]
) -> onnx.GraphProto:
    condition = graph.constants.get(node.input[0])
    if condition is None or condition.size != 1:
        raise NiwakiError(
            f"{graph.path}: {describe(node)}: op 'If' (opset {graph.opset}) runs a part of the "
            f"model under a condition that {_origin(graph, node.input[0], before)}"
        )
    branch = attribute(node, "then_branch" if condition.all() else "else_branch", None)
    if branch is None or len(branch.output) < len(node.output):
        raise NiwakiError(f"{graph.path}: {describe(node)} lacks a branch: the file is damaged")
    return cast(onnx.GraphProto, branch)


def _origin(graph: OnnxGraph, condition: str, before: Iterable[onnx.NodeProto]) -> str:
    """What an unknown condition depends on, and what to do about it."""
    needed = {condition}
    for node in reversed(list(before)):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
    inputs = [value.name for value in graph.inputs if value.name in needed]
    small = [name for name in inputs if math.prod(graph.types[name].shape) == 1]
    if inputs and inputs == small:
        fixed = " and ".join(f"--constant {name}=VALUE" for name in inputs)
        return (
            f"depends on input {', '.join(map(repr, inputs))}: fix it by {fixed} (constants=... in "
            "Python)"
        )
    return "depends on the data: compute both sides and choose by Where"


def _inlined(
    graph: OnnxGraph, body: onnx.GraphProto, results: list[str], names: _Names
) -> list[onnx.NodeProto]:
    """Nodes that compute `results` as `body` does; its constants become the graph's."""
    constants = take_constants(graph.path, body)
    new = {name: names.unique(name) for name in dict.fromkeys([*constants, *_own_names(body)])}
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
        own = set(_own_names(body))
        outer = {name: new for name, new in names.items() if name not in own}
        for inner in body.node:
            rename_inputs(inner, outer)
        for value in body.output:
            value.name = outer.get(value.name, value.name)

"""Branches that depend on data: both become graphs of their own.

y = If(c) { Relu(x) } else { MatMul(x, w) }
  -->
y = niwaki.branch(c, x)      and the graphs branch_0(x) = Relu(x), branch_1(x) = MatMul(x, w)
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.branch_op import NAME, BranchOptions
from niwaki.frontend.onnx_bodies import (
    body_graph,
    outer_names,
    own_node,
    renamed_copy,
    result_name,
    set_inputs,
)
from niwaki.frontend.onnx_branches import branches
from niwaki.frontend.onnx_constants import take_constants
from niwaki.frontend.onnx_graph import OnnxGraph, TensorType, describe, type_name
from niwaki.frontend.onnx_kept_loops import Resolve


def kept_branch(
    graph: OnnxGraph, node: onnx.NodeProto, renamed: Mapping[str, str], resolve: Resolve
) -> onnx.NodeProto:
    """The op of ours for an If `node`, whose branches read values that are `renamed`.

    Raises:
        NiwakiError: branches give other sizes or types, or the condition is of several numbers.
    """
    what = f"{graph.path}: {describe(node)}: op 'If' (opset {graph.opset})"
    condition = graph.type_of(node.input[0])
    if condition.element != onnx.TensorProto.BOOL or math.prod(condition.shape) != 1:
        raise NiwakiError(f"{what} has a condition of type {_told(condition)}: make it one boolean")
    bodies = [renamed_copy(branch, renamed) for branch in branches(graph, node)]
    outer = list(dict.fromkeys(name for body in bodies for name in outer_names(graph, body)))
    read = [name for name in outer if name not in graph.constants]
    names, results = list[str](), list[list[TensorType]]()
    for body in bodies:
        constants = take_constants(graph.path, body)
        nodes = list(_with_own_results(body))
        inner = body_graph(graph, nodes, len(node.output), constants, outer, {})
        resolve(inner)
        set_inputs(inner, read)
        names.append(f"{NAME}_{len(graph.bodies)}")
        graph.bodies[names[-1]] = inner
        results.append([inner.type_of(name) for name in inner.outputs])
    _check_equal(what, node.output, *results)
    told = json.dumps({NAME: BranchOptions(*names).as_dict()})
    return own_node(graph, node, NAME, [node.input[0], *read], results[0], told)


def _check_equal(
    what: str, names: Sequence[str], yes: Sequence[TensorType], no: Sequence[TensorType]
) -> None:
    for name, first, second in zip(names, yes, no, strict=True):
        if first != second:
            raise NiwakiError(
                f"{what} gives {name!r} as {_told(first)} in one branch and as {_told(second)} in "
                "the other, and which one is run depends on the data: give both one size and type"
            )


def _told(kind: TensorType) -> str:
    return f"{type_name(kind.element)}{list(kind.shape)}"


def _with_own_results(body: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of `body`, and nodes that give its results names of their own."""
    yield from body.node
    for number, value in enumerate(body.output):
        yield onnx.helper.make_node("Identity", [value.name], [result_name(number)])

"""Loops that stay loops: their bodies become graphs of their own.

y = Loop(n, "", x) { x = Relu(MatMul(x, w)) }
  -->
y = niwaki.loop(n, "", x)      and the graph loop_0(x) = Relu(MatMul(x, w)) beside it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.loop_op import ENDLESS, NAME, LoopOptions
from niwaki.frontend.onnx_bodies import (
    body_graph,
    outer_names,
    own_node,
    result_name,
    set_inputs,
)
from niwaki.frontend.onnx_graph import OnnxGraph, TensorType

# Folds constants in a graph and sets its types.
Resolve = Callable[[OnnxGraph], None]

_SCALAR = "result::scalar"  # the shape of a condition, which may also be a list of one

_TURN = TensorType(onnx.TensorProto.INT64, ())


def kept_loop(
    graph: OnnxGraph,
    node: onnx.NodeProto,
    body: onnx.GraphProto,
    what: str,
    resolve: Resolve,
) -> onnx.NodeProto:
    """The op of ours for a Loop `node`, whose body reads its constants from outside.

    Raises:
        NiwakiError: the loop never ends, a value has another type in each turn, or there are as
            many results as the data says.
    """
    length, condition, *carried = [*node.input, "", ""][: max(2, len(node.input))]
    turn, goes_on, *formal = (value.name for value in body.input)
    types = dict(zip(formal, map(graph.type_of, carried), strict=True))
    outer = list(outer_names(graph, body))
    read = [name for name in outer if name not in graph.constants]
    own = {goes_on: np.array(True), _SCALAR: np.zeros(0, np.int64)}
    nodes = list(_with_own_results(body))
    inner = body_graph(graph, nodes, len(body.output), own, outer, {turn: _TURN, **types})
    resolve(inner)

    flag = inner.constants.get(inner.outputs[0])
    conditional = bool(condition) or flag is None or not flag.all()
    if not conditional and not length:
        raise NiwakiError(f"{what} never ends: give it a length, or let its body say when")
    if not conditional:
        inner.outputs = inner.outputs[1:]
        inner.remove_unused()
    numbered = turn in inner.uses()
    set_inputs(inner, [*[turn] * numbered, *formal, *read])
    turns = graph.constants[length].item() if length in graph.constants else None
    options = LoopOptions(
        body=f"loop_{len(graph.bodies)}",
        carried=len(carried),
        turns=turns if length else ENDLESS,
        conditional=conditional,
        numbered=numbered,
    )
    graph.bodies[options.body] = inner
    given = [inner.type_of(name) for name in inner.outputs[conditional:]]
    _check_carried(what, types, given)
    collected = list(_collected(what, given[len(carried) :], None if conditional else turns))
    operands = ["" if turns is not None else length, condition, *carried, *read]
    told = json.dumps({NAME: options.as_dict()})
    return own_node(graph, node, NAME, operands, [*types.values(), *collected], told)


def _check_carried(what: str, types: Mapping[str, TensorType], given: Sequence[TensorType]) -> None:
    for (name, before), after in zip(types.items(), given, strict=False):
        if before != after:
            shapes = f"{list(before.shape)} before a turn and {list(after.shape)} after it"
            raise NiwakiError(
                f"{what} has a value {name!r} of {shapes}: give the loop a length that is a "
                "constant, or keep the value's size and type"
            )


def _collected(what: str, parts: Sequence[TensorType], turns: int | None) -> Iterator[TensorType]:
    """Types of what all turns give together."""
    for part in parts:
        if turns is None:
            raise NiwakiError(
                f"{what} collects a result of each turn, and how many turns there are depends on "
                "the data: give it a length that is a constant, or keep the last result alone"
            )
        yield TensorType(part.element, (turns, *part.shape))


def _with_own_results(body: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Copies of the nodes of `body`, and nodes that give its results names of their own."""
    for original in body.node:
        node = onnx.NodeProto()
        node.CopyFrom(original)
        yield node
    condition, *values = (value.name for value in body.output)
    yield onnx.helper.make_node("Reshape", [condition, _SCALAR], [result_name(0)])
    for number, name in enumerate(values, 1):
        yield onnx.helper.make_node("Identity", [name], [result_name(number)])
